package payload

import (
	"os"
	"path/filepath"
	"strings"
)

// selfPaths lists where the running program's file may be, the surest first:
// what the system says, the path given to exec, argv[0].
func selfPaths() []string {
	var list []string
	add := func(path string) {
		if path != "" {
			list = append(list, path)
		}
	}
	if path, err := os.Executable(); err == nil {
		add(path)
	}
	add(execPath())
	if len(os.Args) > 0 {
		for _, path := range argumentPaths(os.Args[0], os.Getenv("PATH")) {
			add(path)
		}
	}
	return list
}

// argumentPaths is where argv[0] may point: itself when it names a folder,
// else each folder of the search path, else the working folder.
func argumentPaths(name, search string) []string {
	if name == "" || strings.ContainsRune(name, os.PathSeparator) {
		return []string{name}
	}
	var list []string
	for _, folder := range filepath.SplitList(search) {
		list = append(list, filepath.Join(folder, name))
	}
	return append(list, name)
}
