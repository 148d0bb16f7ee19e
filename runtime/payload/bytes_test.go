package payload

import (
	"bytes"
	"strings"
	"testing"
	"unsafe"
)

func TestFromBytes(t *testing.T) {
	var b bytes.Buffer
	w := NewWriter(&b, 0)
	weights := []byte("weights!")
	for _, name := range []string{MetadataSection, WeightsSection} {
		if err := w.Section(name); err != nil {
			t.Fatal(err)
		}
		data := weights
		if name == MetadataSection {
			data = []byte(`{"name": "m"}`)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	room := make([]byte, b.Len()+128)
	for shift := range 128 {
		data := room[shift : shift+copy(room[shift:], b.Bytes())]
		p, err := FromBytes("m.payload", data)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := p.Section(WeightsSection)
		if !ok || !bytes.Equal(got, weights) || uintptr(unsafe.Pointer(&got[0]))%sectionAlign != 0 {
			t.Fatalf("shift %d: section %q at %p", shift, got, &got[0])
		}
		if p.Metadata().Name != "m" || p.Path() != "m.payload" || p.Check() != nil || p.Close() != nil {
			t.Errorf("shift %d: metadata %+v", shift, p.Metadata())
		}
	}
	if _, err := FromBytes("m.payload", b.Bytes()[:b.Len()-1]); err == nil || !strings.HasPrefix(err.Error(), "m.payload: ") {
		t.Errorf("error %v", err)
	}
}
