// SPDX-License-Identifier: MIT
// The command line. Options are accepted as -x, --long, --long=value; the file is the one argument
// that is no option. "run" as the first argument changes to the launcher's own options.
#include "minject/minject.h"

#include <string.h>

static const char help[] =
    "minject " MJ_VERSION ": makes a Windows program load the allocator before its C runtime\n"
    "\n"
    "usage: minject [options] <exe or dll>\n"
    "       minject run [--children] [--verbose] [--] <program> [arguments]   (on Windows)\n"
    "\n"
    "Puts mimalloc-override.dll in front of the program's import table, so that the loader\n"
    "starts it first. Writes <name>-mi.exe unless --inplace is given.\n"
    "\n"
    "  -h --help          show this and exit\n"
    "     --version       show the version and exit\n"
    "  -v --verbose       say what is done\n"
    "  -l --list          list the imported DLLs in load order\n"
    "  -c --check         tell whether redirection would work, and what to do if not\n"
    "  -r --remove        give back the original file, byte for byte\n"
    "  -i --inplace       change the file itself\n"
    "  -f --force         overwrite without asking; go on where a refusal allows it\n"
    "  -n --dry-run       do everything but write\n"
    "     --json          output of --list and --check as JSON\n"
    "     --postfix=<p>   import mimalloc-<p>.dll ('override' by default; override-debug or\n"
    "                     override-secure for the checking builds)\n"
    "     --dll=<name>[:<symbol>]\n"
    "                     import this DLL instead, by that symbol or by ordinal 1; repeat it for\n"
    "                     several, in load order\n"
    "     --copy-dlls     put the DLLs beside the result, from minject's own folder\n"
    "\n"
    "The DLLs must lie beside the program or on the search path. The program must use the C\n"
    "runtime as a DLL (/MD). MIMALLOC_VERBOSE=1 shows at run time that it works, and\n"
    "MIMALLOC_DISABLE_REDIRECT=1 turns it off.\n"
    "\n"
    "exit status: 0 done or nothing to do, 1 usage, 2 cannot read or write, 3 damaged or foreign\n"
    "file, 4 refused with a reason, 5 not confirmed, 6 --check says no, 7 internal error\n";

const char *mj_help_text(void)
{
    return help;
}

static mj_status_t complain(mj_options_t *options, const char *problem, const char *culprit)
{
    options->problem = problem;
    options->culprit = culprit;
    return MJ_USAGE;
}

static bool copy_name(char *to, const char *from, size_t length)
{
    if (length >= MJ_NAME_MAX)
        return false;
    memcpy(to, from, length);
    to[length] = '\0';
    return true;
}

// The loader takes a bare file name here; anything with a path would not be found where it is meant.
static bool is_bare_name(const char *name)
{
    if (*name == '\0')
        return false;
    for (; *name != '\0'; name++) {
        uint8_t c = (uint8_t)*name;
        if (c < 0x20 || c >= 0x7f || strchr("/\\:*?\"<>|", *name) != NULL)
            return false;
    }
    return true;
}

static mj_status_t take_dll(mj_options_t *options, const char *value)
{
    const char *colon = strchr(value, ':');
    size_t length = colon != NULL ? (size_t)(colon - value) : strlen(value);
    if (options->dll_count == MJ_DLL_MAX)
        return complain(options, "too many --dll options", value);
    mj_dll_t *dll = &options->dlls[options->dll_count];
    if (!copy_name(dll->name, value, length) || !is_bare_name(dll->name))
        return complain(options, "--dll needs the bare file name of a DLL, not", value);
    if (colon != NULL &&
        (colon[1] == '\0' || !copy_name(dll->symbol, colon + 1, strlen(colon + 1))))
        return complain(options, "--dll has a bad symbol after the colon", value);
    for (uint32_t i = 0; i < options->dll_count; i++) {
        if (pe_same_dll(options->dlls[i].name, dll->name))
            return complain(options, "--dll names this DLL twice", value);
    }
    options->dll_count++;
    options->has_own_dlls = true;
    return MJ_OK;
}

static mj_status_t take_postfix(mj_options_t *options, const char *value)
{
    if (strlen(value) > MJ_NAME_MAX - sizeof "mimalloc-.dll" || !is_bare_name(value))
        return complain(options, "--postfix needs a part of a file name, not", value);
    memcpy(options->postfix, value, strlen(value) + 1);
    return MJ_OK;
}

static const char *value_of(const char *argument, const char *name)
{
    size_t length = strlen(name);
    if (strncmp(argument, name, length) != 0 || argument[length] != '=')
        return NULL;
    return argument + length + 1;
}

static mj_status_t take_command(mj_options_t *options, mj_command_t command, const char *argument)
{
    // Help and version win over everything, as a user who is lost may type them anywhere.
    if (options->command == MJ_COMMAND_HELP || options->command == MJ_COMMAND_VERSION)
        return MJ_OK;
    bool is_question = command == MJ_COMMAND_HELP || command == MJ_COMMAND_VERSION;
    if (!is_question && options->command != MJ_COMMAND_INJECT && options->command != command)
        return complain(options, "cannot be combined with another command", argument);
    options->command = command;
    return MJ_OK;
}

typedef struct flag {
    char letter;
    const char *name;
    size_t field; // of a bool in mj_options_t, or 0 for a command
    mj_command_t command;
} flag_t;

static const flag_t flags[] = {
    {'h', "help", 0, MJ_COMMAND_HELP},
    {0, "version", 0, MJ_COMMAND_VERSION},
    {'l', "list", 0, MJ_COMMAND_LIST},
    {'c', "check", 0, MJ_COMMAND_CHECK},
    {'r', "remove", 0, MJ_COMMAND_REMOVE},
    {'v', "verbose", offsetof(mj_options_t, is_verbose), MJ_COMMAND_INJECT},
    {'i', "inplace", offsetof(mj_options_t, is_inplace), MJ_COMMAND_INJECT},
    {'f', "force", offsetof(mj_options_t, is_forced), MJ_COMMAND_INJECT},
    {'n', "dry-run", offsetof(mj_options_t, is_dry_run), MJ_COMMAND_INJECT},
    {0, "json", offsetof(mj_options_t, is_json), MJ_COMMAND_INJECT},
    {0, "copy-dlls", offsetof(mj_options_t, copies_dlls), MJ_COMMAND_INJECT},
    {0, "children", offsetof(mj_options_t, follows_children), MJ_COMMAND_INJECT},
};

static mj_status_t take_flag(mj_options_t *options, const flag_t *flag, const char *argument)
{
    if (flag->field == 0)
        return take_command(options, flag->command, argument);
    *(bool *)((char *)options + flag->field) = true;
    return MJ_OK;
}

static mj_status_t take_letters(mj_options_t *options, const char *argument)
{
    for (const char *letter = argument + 1; *letter != '\0'; letter++) {
        const flag_t *found = NULL;
        for (size_t i = 0; i < sizeof flags / sizeof flags[0] && found == NULL; i++) {
            if (flags[i].letter == *letter)
                found = &flags[i];
        }
        if (found == NULL)
            return complain(options, "unknown option", argument);
        mj_status_t status = take_flag(options, found, argument);
        if (status != MJ_OK)
            return status;
    }
    return MJ_OK;
}

static mj_status_t take_option(mj_options_t *options, const char *argument)
{
    if (argument[1] != '-')
        return take_letters(options, argument);
    const char *value = value_of(argument, "--postfix");
    if (value != NULL)
        return take_postfix(options, value);
    value = value_of(argument, "--dll");
    if (value != NULL)
        return take_dll(options, value);
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if (strcmp(argument + 2, flags[i].name) == 0)
            return take_flag(options, &flags[i], argument);
    }
    if (strcmp(argument, "--postfix") == 0 || strcmp(argument, "--dll") == 0)
        return complain(options, "needs a value, as in --postfix=override-debug", argument);
    return complain(options, "unknown option", argument);
}

static mj_status_t check_combination(mj_options_t *options)
{
    if (options->command == MJ_COMMAND_HELP || options->command == MJ_COMMAND_VERSION)
        return MJ_OK;
    if (options->path == NULL)
        return complain(options, "no file given", NULL);
    if (options->has_own_dlls && options->postfix[0] != '\0')
        return complain(options, "--dll and --postfix exclude each other", NULL);
    if (options->is_json && options->command != MJ_COMMAND_LIST &&
        options->command != MJ_COMMAND_CHECK)
        return complain(options, "--json goes with --list or --check", NULL);
    if (options->follows_children && options->command != MJ_COMMAND_RUN)
        return complain(options, "--children goes with run", NULL);
    return MJ_OK;
}

// By name, so that a wrong DLL of that name gives the loader's clear message, not a random call.
static void choose_default_dll(mj_options_t *options)
{
    if (options->has_own_dlls)
        return;
    mj_dll_t *dll = &options->dlls[0];
    const char *postfix = options->postfix[0] != '\0' ? options->postfix : "override";
    size_t length = strlen(postfix);
    memcpy(dll->name, "mimalloc-", 9);
    memcpy(dll->name + 9, postfix, length);
    memcpy(dll->name + 9 + length, ".dll", 5);
    memcpy(dll->symbol, "mi_version", sizeof "mi_version");
    options->dll_count = 1;
}

mj_status_t mj_args_parse(int argc, char **argv, mj_options_t *options)
{
    *options = (mj_options_t){.command = MJ_COMMAND_INJECT};
    bool options_end = false;
    int first = 1;
    if (argc > 1 && strcmp(argv[1], "run") == 0) {
        options->command = MJ_COMMAND_RUN;
        first = 2;
    }
    for (int i = first; i < argc; i++) {
        mj_status_t status = MJ_OK;
        if (!options_end && strcmp(argv[i], "--") == 0) {
            options_end = true;
        } else if (!options_end && argv[i][0] == '-' && argv[i][1] != '\0') {
            status = take_option(options, argv[i]);
        } else if (options->path != NULL) {
            status = complain(options, "more than one file given", argv[i]);
        } else {
            options->path = argv[i];
            options->program_index = i;
            if (options->command == MJ_COMMAND_RUN)
                break; // the rest belongs to the program
        }
        if (status != MJ_OK)
            return status;
    }
    choose_default_dll(options);
    return check_combination(options);
}
