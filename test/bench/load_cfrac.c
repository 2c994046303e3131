// SPDX-License-Identifier: MIT
// Factoring by continued fractions: numbers of a few limbs, each result a new block of 12 to 50
// bytes, nearly all of which die at once. What the load allocates is what its arithmetic needs; an
// identity of the expansion (below) shows that no number was damaged.
#include "bench.h"

#include <string.h>

typedef struct {
    uint32_t length; // limbs in use, no leading zero; 0 is the number 0
    uint32_t limbs[];
} num_t;

static num_t *num_new(bench_worker_t *worker, uint32_t length)
{
    num_t *num = malloc(sizeof *num + length * sizeof num->limbs[0]);
    if (num == NULL)
        bench_fail("out of memory", NULL, length);
    num->length = length;
    memset(num->limbs, 0, length * sizeof num->limbs[0]);
    worker->ops++;
    return num;
}

static num_t *num_trim(num_t *num)
{
    while (num->length > 0 && num->limbs[num->length - 1] == 0)
        num->length--;
    return num;
}

static num_t *num_small(bench_worker_t *worker, uint32_t value)
{
    num_t *num = num_new(worker, 1);
    num->limbs[0] = value;
    return num_trim(num);
}

static void num_replace(num_t **place, num_t *value)
{
    free(*place);
    *place = value;
}

static uint32_t limb_at(const num_t *num, uint32_t index)
{
    return index < num->length ? num->limbs[index] : 0;
}

static int num_compare(const num_t *a, const num_t *b)
{
    if (a->length != b->length)
        return a->length < b->length ? -1 : 1;
    for (uint32_t i = a->length; i-- > 0;) {
        if (a->limbs[i] != b->limbs[i])
            return a->limbs[i] < b->limbs[i] ? -1 : 1;
    }
    return 0;
}

static num_t *num_add(bench_worker_t *worker, const num_t *a, const num_t *b)
{
    uint32_t length = a->length > b->length ? a->length : b->length;
    num_t *sum = num_new(worker, length + 1);
    uint64_t carry = 0;
    for (uint32_t i = 0; i <= length; i++) {
        carry += (uint64_t)limb_at(a, i) + limb_at(b, i);
        sum->limbs[i] = (uint32_t)carry;
        carry >>= 32;
    }
    return num_trim(sum);
}

// a - b, which must not be negative.
static num_t *num_subtract(bench_worker_t *worker, const num_t *a, const num_t *b)
{
    num_t *difference = num_new(worker, a->length);
    uint64_t borrow = 0;
    for (uint32_t i = 0; i < a->length; i++) {
        uint64_t limb = (uint64_t)a->limbs[i] - limb_at(b, i) - borrow;
        difference->limbs[i] = (uint32_t)limb;
        borrow = limb >> 63;
    }
    return num_trim(difference);
}

static num_t *num_multiply(bench_worker_t *worker, const num_t *a, const num_t *b)
{
    num_t *product = num_new(worker, a->length + b->length);
    for (uint32_t i = 0; i < a->length; i++) {
        uint64_t carry = 0;
        for (uint32_t j = 0; j < b->length; j++) {
            carry += (uint64_t)a->limbs[i] * b->limbs[j] + product->limbs[i + j];
            product->limbs[i + j] = (uint32_t)carry;
            carry >>= 32;
        }
        product->limbs[i + b->length] = (uint32_t)carry;
    }
    return num_trim(product);
}

static num_t *num_shift_left(bench_worker_t *worker, const num_t *a, unsigned bits)
{
    num_t *shifted = num_new(worker, a->length + 1); // keeps its leading zero
    uint64_t carry = 0;
    for (uint32_t i = 0; i < a->length; i++) {
        carry |= (uint64_t)a->limbs[i] << bits;
        shifted->limbs[i] = (uint32_t)carry;
        carry >>= 32;
    }
    shifted->limbs[a->length] = (uint32_t)carry;
    return shifted;
}

// Takes digit * b off a at limb `at`; true if that was too much.
static bool subtract_multiple(num_t *a, uint32_t at, const num_t *b, uint64_t digit)
{
    uint64_t carry = 0;
    uint64_t borrow = 0;
    for (uint32_t i = 0; i < b->length; i++) {
        carry += digit * b->limbs[i];
        uint64_t limb = (uint64_t)a->limbs[at + i] - (uint32_t)carry - borrow;
        a->limbs[at + i] = (uint32_t)limb;
        borrow = limb >> 63;
        carry >>= 32;
    }
    uint64_t limb = (uint64_t)a->limbs[at + b->length] - carry - borrow;
    a->limbs[at + b->length] = (uint32_t)limb;
    return (limb >> 63) != 0;
}

static void add_back(num_t *a, uint32_t at, const num_t *b)
{
    uint64_t carry = 0;
    for (uint32_t i = 0; i < b->length; i++) {
        carry += (uint64_t)a->limbs[at + i] + b->limbs[i];
        a->limbs[at + i] = (uint32_t)carry;
        carry >>= 32;
    }
    a->limbs[at + b->length] += (uint32_t)carry;
}

// One digit of the quotient, exact or up to two too large: the divisor's top bit is set.
static uint64_t guess_digit(const num_t *rest, uint32_t top, const num_t *divisor)
{
    uint64_t high = (uint64_t)rest->limbs[top] << 32 | rest->limbs[top - 1];
    uint64_t digit = high / divisor->limbs[divisor->length - 1];
    return digit > UINT32_MAX ? UINT32_MAX : digit;
}

// Schoolbook division, digit by digit from the top; *remainder if it is wanted.
static num_t *num_divide(bench_worker_t *worker, const num_t *a, const num_t *b, num_t **remainder)
{
    if (b->length == 0)
        bench_fail("a divisor became 0", b, 0);
    unsigned bits = (unsigned)__builtin_clz(b->limbs[b->length - 1]);
    num_t *rest = num_shift_left(worker, a, bits);
    num_t *divisor = num_trim(num_shift_left(worker, b, bits));
    uint32_t digits = rest->length > divisor->length ? rest->length - divisor->length : 0;
    num_t *quotient = num_new(worker, digits);
    for (uint32_t at = digits; at-- > 0;) {
        uint64_t digit = guess_digit(rest, at + divisor->length, divisor);
        if (subtract_multiple(rest, at, divisor, digit)) {
            do {
                add_back(rest, at, divisor);
                digit--;
            } while (rest->limbs[at + divisor->length] != 0);
        }
        quotient->limbs[at] = (uint32_t)digit;
    }
    if (remainder != NULL) {
        // Shifting up by the rest of a limb and dropping that limb shifts down again.
        num_trim(rest);
        num_t *wide = num_shift_left(worker, rest, (32 - bits) % 32);
        if (bits != 0 && wide->length > 0)
            memmove(wide->limbs, wide->limbs + 1, --wide->length * sizeof wide->limbs[0]);
        *remainder = num_trim(wide);
    }
    free(rest);
    free(divisor);
    return num_trim(quotient);
}

static num_t *num_parse(bench_worker_t *worker, const char *digits)
{
    num_t *ten = num_small(worker, 10);
    num_t *num = num_small(worker, 0);
    for (; *digits != 0; digits++) {
        num_t *digit = num_small(worker, (uint32_t)(*digits - '0'));
        num_replace(&num, num_multiply(worker, num, ten));
        num_replace(&num, num_add(worker, num, digit));
        free(digit);
    }
    free(ten);
    return num;
}

// The whole part of the root, by Newton's method from above.
static num_t *num_root(bench_worker_t *worker, const num_t *n)
{
    num_t *two = num_small(worker, 2);
    num_t *root = num_add(worker, n, two);
    for (;;) {
        num_t *next = num_divide(worker, n, root, NULL);
        num_replace(&next, num_add(worker, next, root));
        num_replace(&next, num_divide(worker, next, two, NULL));
        if (num_compare(next, root) >= 0) {
            free(next);
            free(two);
            return root;
        }
        num_replace(&root, next);
    }
}

// The expansion of sqrt(n): q = (root + p) / denominator, and the convergents' numerators a mod n.
typedef struct {
    num_t *n;
    num_t *root;
    num_t *p;
    num_t *denominator;
    num_t *a;
    num_t *a_before;
    bool is_odd;
} expansion_t;

static void expansion_start(bench_worker_t *worker, expansion_t *e)
{
    e->n = num_parse(worker, "1000000000000000000000000000000000000000000000057");
    e->root = num_root(worker, e->n);
    e->p = num_add(worker, e->root, &(num_t){0});
    e->denominator = num_multiply(worker, e->root, e->root);
    num_replace(&e->denominator, num_subtract(worker, e->n, e->denominator));
    e->a = num_add(worker, e->root, &(num_t){0});
    e->a_before = num_small(worker, 1);
    e->is_odd = true;
}

static void expansion_end(expansion_t *e)
{
    num_t *all[] = {e->n, e->root, e->p, e->denominator, e->a, e->a_before};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        free(all[i]);
}

static void expansion_step(bench_worker_t *worker, expansion_t *e)
{
    num_t *sum = num_add(worker, e->root, e->p);
    num_t *q = num_divide(worker, sum, e->denominator, NULL);
    num_replace(&sum, num_multiply(worker, q, e->denominator));
    num_replace(&e->p, num_subtract(worker, sum, e->p));
    num_replace(&sum, num_multiply(worker, e->p, e->p));
    num_replace(&sum, num_subtract(worker, e->n, sum));
    num_replace(&e->denominator, num_divide(worker, sum, e->denominator, NULL));
    num_replace(&q, num_multiply(worker, q, e->a));
    num_replace(&q, num_add(worker, q, e->a_before));
    num_t *a_next;
    free(num_divide(worker, q, e->n, &a_next));
    free(e->a_before);
    e->a_before = e->a;
    e->a = a_next;
    e->is_odd = !e->is_odd;
    free(sum);
    free(q);
}

// a^2 = (-1)^i denominator (mod n): one damaged limb anywhere breaks it.
static void expansion_check(bench_worker_t *worker, const expansion_t *e)
{
    num_t *square = num_multiply(worker, e->a, e->a);
    if (e->is_odd)
        num_replace(&square, num_add(worker, square, e->denominator));
    num_t *rest;
    free(num_divide(worker, square, e->n, &rest));
    bool holds = e->is_odd ? rest->length == 0 : num_compare(rest, e->denominator) == 0;
    if (!holds)
        bench_fail("a number changed", rest, rest->length);
    free(rest);
    free(square);
}

// How many of a range of divisors divide it: most of a factoring program's time is such arithmetic,
// which allocates nothing.
static uint64_t count_divisors(const num_t *value)
{
    enum { FIRST = 41, END = FIRST + 2 * 150 };
    uint64_t count = 0;
    for (uint32_t divisor = FIRST; divisor < END; divisor += 2) {
        uint64_t rest = 0;
        for (uint32_t i = value->length; i-- > 0;)
            rest = (rest << 32 | value->limbs[i]) % divisor;
        count += rest == 0;
    }
    return count;
}

// How often the small primes divide the denominator: what makes a relation useful.
static uint64_t divide_out(bench_worker_t *worker, const num_t *value)
{
    static const uint32_t primes[] = {2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37};
    uint64_t count = 0;
    num_t *left = num_add(worker, value, &(num_t){0});
    for (size_t i = 0; i < sizeof primes / sizeof primes[0]; i++) {
        num_t *prime = num_small(worker, primes[i]);
        num_t *rest;
        num_t *next = num_divide(worker, left, prime, &rest);
        if (rest->length == 0) {
            count++;
            num_replace(&left, next);
        } else {
            free(next);
        }
        free(rest);
        free(prime);
    }
    free(left);
    return count;
}

static void work_cfrac(bench_worker_t *worker)
{
    expansion_t expansion;
    uint64_t divisible = 0;
    expansion_start(worker, &expansion);
    for (uint64_t i = bench_work(worker->run, 120000); i > 0; i--) {
        expansion_step(worker, &expansion);
        divisible += divide_out(worker, expansion.denominator);
        divisible += count_divisors(expansion.denominator);
        if (i % 64 == 0)
            expansion_check(worker, &expansion);
    }
    expansion_check(worker, &expansion);
    if (divisible == 0)
        bench_fail("no prime divides anything", NULL, 0);
    expansion_end(&expansion);
}

static void run_cfrac(bench_run_t *run)
{
    bench_in_threads(run, work_cfrac, NULL);
}

const bench_load_t bench_cfrac_loads[] = {
    {"cfrac", "factoring by continued fractions: small numbers that die young", run_cfrac},
    {0},
};
