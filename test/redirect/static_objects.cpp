// SPDX-License-Identifier: MIT
// Objects that live until the process ends and free in their destructors. main says 1; the object
// that is destroyed last ends the process with 0 if all went well.
#include "mimalloc.h"

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

namespace
{
int destroyed = 0;

class Verdict
{
  public:
    Verdict() = default;
    Verdict(const Verdict &) = delete;
    Verdict &operator=(const Verdict &) = delete;

    ~Verdict()
    {
        void *block = std::malloc(300);
        const bool is_fine = destroyed == 1 && mi_is_redirected() && mi_is_in_heap_region(block);
        std::free(block);
        std::_Exit(is_fine ? 0 : 2);
    }
};

class Keeper
{
  public:
    Keeper() : block(std::malloc(5000))
    {
    }
    Keeper(const Keeper &) = delete;
    Keeper &operator=(const Keeper &) = delete;

    ~Keeper()
    {
        destroyed += mi_is_in_heap_region(block) ? 1 : 100;
        std::free(block);
    }

  private:
    void *block;
};

// Destroyed in the reverse order.
const Verdict verdict;
const Keeper keeper;
std::map<std::string, std::string> words;
} // namespace

int main()
{
    for (int i = 0; i < 1000; i++)
        words["a key that is long enough for the heap: " + std::to_string(i)] =
            std::string(99, 'x');
    return 1;
}
