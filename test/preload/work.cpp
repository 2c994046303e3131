// SPDX-License-Identifier: MIT
// Work for the preload test: templates keep the C++ compiler's allocator busy, and the program itself
// allocates through the standard library.
#include "work.h"

#include <algorithm>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

namespace
{
std::string words(unsigned count)
{
    std::ostringstream out;
    for (unsigned i = 0; i < count; i++)
        out << "item" << i * 7919 % 1009 << (i % 5 == 0 ? "," : " ");
    return out.str();
}

std::map<std::string, unsigned> count_words(const std::string &text)
{
    std::map<std::string, unsigned> counts;
    const std::regex word("item([0-9]+)");
    for (std::sregex_iterator at(text.begin(), text.end(), word), end; at != end; ++at)
        counts[at->str(1)]++;
    return counts;
}
} // namespace

int main()
{
    const auto counts = count_words(words(5000));
    std::vector<std::shared_ptr<std::string>> rows;
    for (const auto &[word, count] : counts)
        rows.push_back(std::make_shared<std::string>(word + ":" + std::to_string(count)));
    std::sort(rows.begin(), rows.end(),
              [](const auto &left, const auto &right) { return *left < *right; });
    for (const auto &row : rows)
        std::cout << *row << '\n';
    std::cout << sorted_middle(100000) << '\n';
    return 0;
}
