// SPDX-License-Identifier: MIT
// The command line: what each option sets, and which lines are refused with which words.
#include "check.h"

#include <stdarg.h>

#include "minject/minject.h"

static mj_options_t options;

static mj_status_t parse(const char *first, ...)
{
    static char texts[12][200];
    char *argv[12] = {texts[0]};
    int argc = 1;
    va_list list;
    va_start(list, first);
    for (const char *text = first; text != NULL && argc < 12; text = va_arg(list, const char *)) {
        snprintf(texts[argc], sizeof texts[argc], "%s", text);
        argv[argc] = texts[argc];
        argc++;
    }
    va_end(list);
    return mj_args_parse(argc, argv, &options);
}

TEST(without_options_it_injects_the_override)
{
    REQUIRE(parse("a.exe", NULL) == MJ_OK);
    CHECK_EQ(options.command, MJ_COMMAND_INJECT);
    CHECK_STR_EQ(options.path, "a.exe");
    CHECK_EQ(options.dll_count, 1);
    CHECK_STR_EQ(options.dlls[0].name, "mimalloc-override.dll");
    CHECK_STR_EQ(options.dlls[0].symbol, "mi_version");
}

TEST(a_postfix_chooses_the_variant)
{
    REQUIRE(parse("--postfix=override-debug", "a.exe", NULL) == MJ_OK);
    CHECK_STR_EQ(options.dlls[0].name, "mimalloc-override-debug.dll");
}

TEST(letters_can_be_joined)
{
    REQUIRE(parse("-vif", "a.exe", NULL) == MJ_OK);
    CHECK(options.is_verbose);
    CHECK(options.is_inplace);
    CHECK(options.is_forced);
    CHECK(!options.is_dry_run);
}

TEST(a_dll_may_name_its_symbol)
{
    REQUIRE(parse("--dll=x.dll:start", "--dll=y.dll", "a.exe", NULL) == MJ_OK);
    CHECK_EQ(options.dll_count, 2);
    CHECK_STR_EQ(options.dlls[0].symbol, "start");
    CHECK_STR_EQ(options.dlls[1].name, "y.dll");
    CHECK_STR_EQ(options.dlls[1].symbol, "");
}

TEST(a_dll_is_a_bare_name)
{
    CHECK_EQ(parse("--dll=dir/x.dll", "a.exe", NULL), MJ_USAGE);
    CHECK_EQ(parse("--dll=dir\\x.dll", "a.exe", NULL), MJ_USAGE);
    CHECK_EQ(parse("--dll=", "a.exe", NULL), MJ_USAGE);
    CHECK_EQ(parse("--dll=x.dll:", "a.exe", NULL), MJ_USAGE);
    CHECK_EQ(parse("--dll=x.dll", "--dll=X.DLL", "a.exe", NULL), MJ_USAGE);
}

TEST(a_name_that_is_too_long_is_refused)
{
    char long_name[180];
    snprintf(long_name, sizeof long_name, "--dll=%0150d.dll", 1);
    CHECK_EQ(parse(long_name, "a.exe", NULL), MJ_USAGE);
    snprintf(long_name, sizeof long_name, "--postfix=%0150d", 1);
    CHECK_EQ(parse(long_name, "a.exe", NULL), MJ_USAGE);
}

TEST(commands_exclude_each_other)
{
    CHECK_EQ(parse("--list", "--remove", "a.exe", NULL), MJ_USAGE);
    CHECK_STR_EQ(options.culprit, "--remove");
}

TEST(help_wins_over_everything)
{
    CHECK_EQ(parse("--list", "-h", NULL), MJ_OK);
    CHECK_EQ(options.command, MJ_COMMAND_HELP);
    CHECK_EQ(parse("--version", NULL), MJ_OK);
    CHECK_EQ(options.command, MJ_COMMAND_VERSION);
}

TEST(a_file_is_needed_and_only_one)
{
    CHECK_EQ(parse("--list", NULL), MJ_USAGE);
    CHECK_STR_EQ(options.problem, "no file given");
    CHECK_EQ(parse("a.exe", "b.exe", NULL), MJ_USAGE);
    CHECK_STR_EQ(options.culprit, "b.exe");
}

TEST(unknown_options_are_named)
{
    CHECK_EQ(parse("--lists", "a.exe", NULL), MJ_USAGE);
    CHECK_STR_EQ(options.culprit, "--lists");
    CHECK_EQ(parse("-x", "a.exe", NULL), MJ_USAGE);
    CHECK_STR_EQ(options.culprit, "-x");
}

TEST(a_value_is_asked_for)
{
    CHECK_EQ(parse("--postfix", "a.exe", NULL), MJ_USAGE);
    CHECK_STR_EQ(options.culprit, "--postfix");
}

TEST(two_dashes_end_the_options)
{
    REQUIRE(parse("--", "-odd.exe", NULL) == MJ_OK);
    CHECK_STR_EQ(options.path, "-odd.exe");
}

TEST(json_goes_with_what_prints)
{
    CHECK_EQ(parse("--json", "a.exe", NULL), MJ_USAGE);
    CHECK_EQ(parse("--json", "--list", "a.exe", NULL), MJ_OK);
    CHECK_EQ(parse("--json", "--check", "a.exe", NULL), MJ_OK);
}

TEST(postfix_and_dll_exclude_each_other)
{
    CHECK_EQ(parse("--dll=x.dll", "--postfix=y", "a.exe", NULL), MJ_USAGE);
}

TEST(run_leaves_the_programs_arguments_alone)
{
    REQUIRE(parse("run", "--children", "prog.exe", "--list", "-x", NULL) == MJ_OK);
    CHECK_EQ(options.command, MJ_COMMAND_RUN);
    CHECK(options.follows_children);
    CHECK_STR_EQ(options.path, "prog.exe");
    CHECK_EQ(options.program_index, 3);
}

TEST(the_help_names_every_option)
{
    static const char *const names[] = {"--help",  "--version",  "--verbose",  "--list",
                                        "--check", "--remove",   "--inplace",  "--force",
                                        "--json",  "--dry-run",  "--postfix",  "--dll",
                                        "run",     "--children", "--copy-dlls"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        CHECK(strstr(mj_help_text(), names[i]) != NULL);
}

TEST(every_refusal_has_a_text_and_an_exit_status)
{
    for (unsigned i = MJ_USAGE; i < MJ_STATUS_COUNT; i++) {
        CHECK(mj_status_text((mj_status_t)i)[0] != '\0');
        CHECK(mj_status_exit((mj_status_t)i) != MJ_EXIT_OK);
    }
}

// clang-format off
TEST_MAIN(
    RUN(without_options_it_injects_the_override)
    RUN(a_postfix_chooses_the_variant)
    RUN(letters_can_be_joined)
    RUN(a_dll_may_name_its_symbol)
    RUN(a_dll_is_a_bare_name)
    RUN(a_name_that_is_too_long_is_refused)
    RUN(commands_exclude_each_other)
    RUN(help_wins_over_everything)
    RUN(a_file_is_needed_and_only_one)
    RUN(unknown_options_are_named)
    RUN(a_value_is_asked_for)
    RUN(two_dashes_end_the_options)
    RUN(json_goes_with_what_prints)
    RUN(postfix_and_dll_exclude_each_other)
    RUN(run_leaves_the_programs_arguments_alone)
    RUN(the_help_names_every_option)
    RUN(every_refusal_has_a_text_and_an_exit_status))
