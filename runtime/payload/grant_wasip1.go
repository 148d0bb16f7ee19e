package payload

// grant reminds of what a module may open: the folders that its host names.
const grant = " and let the host open its folder, as --dir=. of wasmtime or -mount=.:/ of wazero do"
