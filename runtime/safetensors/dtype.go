package safetensors

// sizes holds the bytes of one element of every type the format knows whose
// elements fill whole bytes.
var sizes = map[string]int{
	"BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1, "F8_E8M0": 1,
	"U16": 2, "I16": 2, "F16": 2, "BF16": 2,
	"U32": 4, "I32": 4, "F32": 4,
	"U64": 8, "I64": 8, "F64": 8, "C64": 8,
}

// Size is the number of bytes of one element of a type, named as in the file;
// false for a type the format does not have.
func Size(dtype string) (int, bool) {
	n, ok := sizes[dtype]
	return n, ok
}
