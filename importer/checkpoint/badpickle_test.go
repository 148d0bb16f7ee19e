package checkpoint

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

// TestBadPickles has pickles that attack the reader, in both torch containers.
func TestBadPickles(t *testing.T) {
	deep := func(begin, more string) []byte { return ops("\x80\x02", begin, strings.Repeat(more, 100_000), ".") }
	call := func(class string) []byte { return ops("\x80\x02c", class, "\nX\x02\x00\x00\x00ls\x85R.") }
	stacked := func(module, name text) []byte {
		return ops("\x80\x04\x95", []byte{30, 0, 0, 0, 0, 0, 0, 0}, module, "\x94", name, "\x94\x93\x94", text("ls"), "\x85R.")
	}
	for _, c := range []struct {
		name   string
		pickle []byte
		want   string
	}{
		{"os.system", call("os\nsystem"), "class os.system"},
		{"builtins.eval", call("builtins\neval"), "class builtins.eval"},
		{"python 2 eval", call("__builtin__\neval"), "class __builtin__.eval"},
		{"class that gopickle knows", call("copy_reg\n_reconstructor"), "class copy_reg._reconstructor"},
		{"object", call("__builtin__\nobject"), "class __builtin__.object"},
		{"line break in a class", call("a\rb\neval"), `class "a\rb.eval"`},
		{"stacked os.system", stacked("os", "system"), "class os.system"},
		{"stacked from the memo", ops("\x80\x04", text("os"), "\x940", text("system"), "\x94h\x00h\x01\x93."), "none that torch writes"},
		{"stacked, read back", ops("\x80\x04(", text("os"), "\x94", text("system"), "\x94th\x00h\x01\x93."), "class os.system"},
		{"stacked and computed", ops("\x80\x04", text("os"), "N\x93."), "whose name is computed"},
		{"endless class", ops("\x80\x02c", strings.Repeat("a", 1000)), "without an end"},
		{"string of 8 GB", ops("\x80\x04\x8d", []byte{0, 0, 0, 0, 2, 0, 0, 0}, "abc."), "none that torch writes"},
		{"string of 4 GB", ops("\x80\x02X\xff\xff\xff\xffabc."), "a string of 4294967295 bytes"},
		{"string past the end", ops("\x80\x02X\x60\xea\x00\x00abc."), "60000 bytes wanted"},
		{"number of 2 GB", ops("\x80\x02\x8b\xff\xff\xff\x7f."), "none that torch writes"},
		{"number of no bytes", ops("\x80\x02\x8a\x00."), "a number of 0 bytes"},
		{"long number", ops("\x80\x02\x8a\xff", strings.Repeat("a", 255), "."), "a number of 255 bytes"},
		{"number line", ops("\x80\x02L", strings.Repeat("9", 1000), "L\n."), "none that torch writes"},
		{"frame of 8 EB", ops("\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7f."), "a frame of"},
		{"bytes of 4 GB", ops("\x80\x03B\xff\xff\xff\xff."), "none that torch writes"},
		{"memo entry 4 billion", ops("\x80\x02Nr\xff\xff\xff\xff."), "memo entry 4294967295 after 0"},
		{"memo entry not there", ops("\x80\x02h\x07."), "memo entry 7 of 0"},
		{"deep marks", deep("", "("), "more than 64 levels"},
		{"deep tuples", deep(")", "\x85"), "no dictionary of tensors"},
		{"deep lists", ops("\x80\x02", strings.Repeat("]", 50_000), strings.Repeat("a", 49_999), "."), "no dictionary of tensors"},
		{"too many objects", ops("\x80\x02", strings.Repeat("}", maxObjects+1), "."), "more than 262144 objects"},
		{"cyclic dictionary", ops("\x80\x02}q\x00", text("self"), "h\x00s."), "self: not a tensor"},
		{"cyclic list", ops("\x80\x02]q\x00h\x00a."), "no dictionary of tensors"},
		{"call of a cyclic dictionary", ops("\x80\x02}q\x00", text("self"), "h\x00s)R."), "pickle: "},
		{"tuple end without a begin", ops("\x80\x02t."), "no begin"},
		{"empty stack", ops("\x80\x02R."), "pickle: "},
		{"odd dictionary", ops("\x80\x02}(", text("w"), "u."), "pickle: "},
		{"no end", ops("\x80\x02N"), "pickle without an end"},
		{"protocol 9", ops("\x80\x09N."), "protocol 9"},
		{"key that is no name", dictOps(7, "N"), "keys are not all names"},
		{"value that is no tensor", dictOps(text("w"), 7), "w: not a tensor"},
		{"twice", dictOps(text("w"), tensorOps(storageOps("0", 2), 0, []int{2}, []int{1}), text("w"), tensorOps(storageOps("0", 2), 0, []int{2}, []int{1})), "w: named twice"},
		{"storage of no class", dictOps(text("w"), tensorOps(ops("(", text("storage"), "N", text("0"), text("cpu"), 2, "tQ"), 0, []int{2}, []int{1})), "unknown form"},
		{"storage of negative length", dictOps(text("w"), tensorOps(storageOps("0", -2), 0, []int{2}, []int{1})), "unknown form"},
		{"reference to a module", dictOps(text("w"), "(", text("module"), "NNNNtQ"), "no storage"},
		{"tensor of numbers", dictOps(text("w"), tensorOps([]byte("N"), 0, []int{2}, []int{1})), "without storage"},
		{"shape of text", dictOps(text("w"), "ctorch._utils\n_rebuild_tensor_v2\n(", storageOps("0", 2), 0, "(", text("2"), "t", []int{1}, "\x89NtR"), "no number"},
		{"tensor of three fields", dictOps(text("w"), "ctorch._utils\n_rebuild_tensor_v2\n(", storageOps("0", 2), 0, 0, "tR"), "a tensor of 3 fields"},
		{"parameter of a number", dictOps(text("w"), "ctorch._utils\n_rebuild_parameter\n(NNNtR"), "no tensor"},
		{"storage made", dictOps(text("w"), "ctorch\nFloatStorage\n)R"), "pickle: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			archive := zipOf(t, entry{"a/data.pkl", c.pickle}, entry{"a/data/0", floats(2)})
			bad{files: map[string][]byte{"pytorch_model.bin": archive}, want: []string{"pytorch_model.bin: ", c.want}}.run(t)
			if !bytes.HasSuffix(c.pickle, []byte(".")) {
				return // the next pickle of the stream would be taken for its end
			}
			stream := legacyOf(c.pickle, []string{"0"}, floats(2))
			bad{files: map[string][]byte{"pytorch_model.bin": stream}, want: []string{"pytorch_model.bin: ", c.want}}.run(t)
			bad{files: map[string][]byte{"pytorch_model.bin": c.pickle}, want: []string{"pytorch_model.bin: "}}.run(t)
		})
	}
}

// TestParameters reads a dictionary of parameters, framed as by protocol 4.
func TestParameters(t *testing.T) {
	param := ops("ctorch._utils\n_rebuild_parameter\n(", tensorOps(storageOps("0", 6), 2, []int{2, 2}, []int{1, 2}), "\x88ccollections\nOrderedDict\n)RtR")
	body := ops("ccollections\nOrderedDict\n)R(", text("w"), param, "u}", text("_metadata"), "Nsb.")
	frame := binary.LittleEndian.AppendUint64([]byte("\x80\x04\x95"), uint64(len(body)))
	tensors, err := fromBytes("a.bin", zipOf(t, entry{"x y/data.pkl", append(frame, body...)}, entry{"x y/data/0", floats(6)}))
	if err != nil {
		t.Fatal(err)
	}
	values := make([]float32, 4)
	if err := tensors[0].ReadRows(values, 0, 2); err != nil || values[1] != 4 || values[2] != 3 {
		t.Errorf("values %v, error %v; want 2 4 3 5", values, err)
	}
}

// legacyOf is a legacy stream of one dictionary and float storages of equal
// length.
func legacyOf(dict []byte, keys []string, values []byte) []byte {
	b := ops("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", "\x80\x02M\xe9\x03.",
		"\x80\x02}(", text("little_endian"), "\x88u.", dict, "\x80\x02](")
	for _, k := range keys {
		b = append(b, ops(text(k))...)
	}
	b = append(b, "e."...)
	for range keys {
		b = binary.LittleEndian.AppendUint64(b, uint64(len(values)/4))
		b = append(b, values...)
	}
	return b
}

func TestBadLegacy(t *testing.T) {
	good := legacyOf(goodPickle(), []string{"0"}, floats(2))
	if _, err := fromBytes("a.bin", good); err != nil {
		t.Fatal(err)
	}
	lying := bytes.Clone(good)
	binary.LittleEndian.PutUint64(lying[len(lying)-16:], 1<<60)
	part := func(offset, length int) []byte {
		storage := ops("(", text("storage"), "ctorch\nFloatStorage\n", text("0"), text("cpu"), 2, "(", text("1"), offset, length, "ttQ")
		return dictOps(text("w"), tensorOps(storage, 0, []int{1}, []int{1}))
	}
	mixed := dictOps(text("v"), tensorOps(storageOps("0", 2), 0, []int{2}, []int{1}),
		text("w"), tensorOps(bytes.Replace(storageOps("0", 2), []byte("Float"), []byte("Half"), 1), 0, []int{2}, []int{1}))
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"cut off in the values", good[:len(good)-1], "2 elements of 4 bytes, but 7 bytes are left"},
		{"cut off in the count", good[:len(good)-9], "unexpected EOF"},
		{"cut off in the pickles", good[:60], "without an end"},
		{"lying count", lying, "1152921504606846976 elements"},
		{"more behind it", append(bytes.Clone(good), 1), "1 bytes behind"},
		{"storage not listed", legacyOf(goodPickle(), nil, nil), "w: storage 0 is not in the file"},
		{"storage of another length", legacyOf(goodPickle(), []string{"0"}, floats(3)), "w: storage 0: 3 elements, want 2"},
		{"storage listed twice", legacyOf(goodPickle(), []string{"0", "0"}, floats(2)), "listed, but twice"},
		{"storage of no tensor", legacyOf(goodPickle(), []string{"1"}, floats(2)), "no tensor has it"},
		{"part out of range", legacyOf(part(1, 2), []string{"0"}, floats(2)), "leaves storage 0"},
		{"two types in one storage", legacyOf(mixed, []string{"0"}, floats(2)), "both f32 and f16"},
		{"another magic", ops("\x80\x02K\x01."), "torch did not write"},
		{"another version", ops(good[:15], "\x80\x02K\x01."), "not of version 1001"},
		{"big-endian", bytes.Replace(good, []byte("\x88u."), []byte("\x89u."), 1), "little-endian"},
	} {
		t.Run(c.name, bad{files: map[string][]byte{"pytorch_model.bin": c.data}, want: []string{"pytorch_model.bin: ", c.want}}.run)
	}
	tensors, err := fromBytes("a.bin", legacyOf(part(1, 1), []string{"0"}, floats(2)))
	if err != nil {
		t.Fatal(err)
	}
	values := make([]float32, 1)
	if err := tensors[0].ReadRows(values, 0, 1); err != nil || values[0] != 1 {
		t.Errorf("part of a storage: %v %v", values, err)
	}
}
