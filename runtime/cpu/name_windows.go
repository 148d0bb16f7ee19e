package cpu

import "os"

func systemName() string { return os.Getenv("PROCESSOR_IDENTIFIER") }
