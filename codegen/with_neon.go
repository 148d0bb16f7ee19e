package codegen

import _ "github.com/mambac/mambac/codegen/arm64" // registers neon
