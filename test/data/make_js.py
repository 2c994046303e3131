#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes a large JavaScript program, the same one every time.

    make_js.py FUNCTIONS >big.js

It has what keeps a compiler's allocator busy: many functions and classes, closures, branches, loops,
switches, template strings, object literals and regular expressions, all with names of their own."""
import sys

VERBS = ("load", "merge", "split", "route", "score", "trace", "clamp", "index", "queue", "visit")
NOUNS = ("Node", "Order", "Event", "Shard", "Token", "Frame", "Batch", "Route", "Entry", "Graph")
# Functions are closed in modules: the compiler's time grows with the square of one scope's names.
PER_MODULE = 32


class Numbers:
    """A linear congruential generator: Python's own may change between versions."""

    def __init__(self, seed):
        self.state = seed

    def below(self, limit):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 33) % limit


def name(numbers, index):
    return "%s%s%d" % (VERBS[numbers.below(10)], NOUNS[numbers.below(10)], index)


def function_text(numbers, index):
    own = name(numbers, index)
    low, high, step = numbers.below(100), numbers.below(100000), 1 + numbers.below(9)
    return """function %(own)s(list, options) {
  const table = { id: %(index)d, label: "%(own)s:%(high)d", weights: [%(low)d, %(high)d, %(step)d] };
  let total = options.start || %(low)d;
  for (let i = 0; i < list.length; i += %(step)d) {
    const item = list[i];
    if (item === null || item.kind === "%(own)s") { continue; }
    switch ((item.value + %(low)d) %% 4) {
      case 0: total += item.value * table.weights[0]; break;
      case 1: total -= (item.value << 2) ^ %(high)d; break;
      case 2: total = Math.max(total, item.value / %(step)d); break;
      default: total += item.name.length;
    }
  }
  const again = list.filter(x => x && x.value > %(low)d)
    .map(x => ({ ...x, total, tag: `${x.name}-%(index)d` }));
  return { total, again, matches: /%(own)s-[0-9]{1,%(step)d}/.test(table.label) };
}
""" % {"own": own, "index": index, "low": low, "high": high, "step": step}


def class_text(numbers, index):
    own = NOUNS[numbers.below(10)] + "Store%d" % index
    return """class %(own)s {
  constructor(limit) { this.limit = limit; this.items = new Map(); this.misses = 0; }
  put(key, value) {
    if (this.items.size >= this.limit) { this.items.delete(this.items.keys().next().value); }
    this.items.set(key + "%(salt)d", value);
    return this;
  }
  get(key) {
    const found = this.items.get(key + "%(salt)d");
    if (found === undefined) { this.misses += 1; return %(salt)d; }
    return found;
  }
  get summary() { return `%(own)s ${this.items.size}/${this.limit}, ${this.misses} misses`; }
}
""" % {"own": own, "salt": numbers.below(10**6)}


def main(count):
    numbers = Numbers(2024)
    out = sys.stdout
    out.write('"use strict";\n')
    for index in range(count):
        if index % PER_MODULE == 0:
            out.write("(function () {\n")
        out.write(class_text(numbers, index) if index % 8 == 7 else function_text(numbers, index))
        if index % PER_MODULE == PER_MODULE - 1 or index == count - 1:
            out.write("})();\n")
    out.write("print(%d);\n" % count)


main(int(sys.argv[1]))
