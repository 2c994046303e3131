# SPDX-License-Identifier: MIT
"""Writes a large C file for the preload test, the same one every time: functions with loops, tables
and calls among them, so that the optimizer has something to inline, unroll and allocate for."""
import sys

OPERATORS = ("+", "^", "*", "-", "|")


def function(index):
    operator = OPERATORS[index % len(OPERATORS)]
    callee = index - 1 - index % 7 if index > 7 else 0
    call = "f%d(a %s %du, b)" % (callee, operator, index) if index else "a"
    return """
static const unsigned t%(index)d[] = {%(table)s};
unsigned f%(index)d(unsigned a, unsigned b)
{
    unsigned sum = %(call)s;
    for (unsigned i = 0; i < %(length)du; i++)
        sum = (sum << %(shift)d) %(operator)s (t%(index)d[i %% 16] ^ b + i);
    switch (sum %% 11) {
    case 0: return sum / %(divisor)du;
    case 1: return sum %% (b | 1);
    case 5: return (unsigned)((double)sum * %(divisor)d.5);
    default: return sum %(operator)s a;
    }
}
""" % {"index": index, "operator": operator, "call": call, "length": 3 + index % 29,
       "shift": 1 + index % 5, "divisor": 3 + index % 1000,
       "table": ", ".join("%du" % ((index + 1) * (i + 3) * 2654435761 % 2**32) for i in range(16))}


for number in range(int(sys.argv[1])):
    print(function(number))
