// SPDX-License-Identifier: MIT
// Parses PowerShell scripts with PowerShell's own parser, without running them, and prints its errors,
// the functions that a script defines, and the commands that it calls.
using System;
using System.Management.Automation.Language;

int count = 0;
foreach (string path in args)
{
    Ast script = Parser.ParseFile(path, out _, out ParseError[] errors);
    foreach (ParseError error in errors)
    {
        IScriptExtent place = error.Extent;
        string where = $"{path}:{place.StartLineNumber}:{place.StartColumnNumber}";
        Console.WriteLine($"error {where}: {error.Message}");
        count++;
    }
    foreach (Ast node in script.FindAll(node => true, true))
    {
        if (node is FunctionDefinitionAst function)
            Console.WriteLine($"defines {function.Name}");
        if (node is CommandAst command && command.GetCommandName() is string name)
            Console.WriteLine($"calls {name}");
    }
    Console.WriteLine($"looked at {path}");
}
return count == 0 ? 0 : 1;
