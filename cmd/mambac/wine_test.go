//go:build platforms

package main

import (
	"bytes"
	"debug/pe"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
)

// completeWine gives versions of Wine that lack it (8.0 does) the library from
// which Go programs have their random numbers: one that forwards ProcessPrng to
// what does the same.
func completeWine(t *testing.T, system32 string) {
	t.Helper()
	path := filepath.Join(system32, "bcryptprimitives.dll")
	if _, err := os.Stat(path); err == nil {
		return
	}
	dll := forwardingDLL("bcryptprimitives.dll", "ProcessPrng", "advapi32.SystemFunction036")
	if err := os.WriteFile(path, dll, 0o755); err != nil {
		t.Fatal(err)
	}
}

// forwardingDLL is a PE file for amd64 that exports one name, which stands for
// a function of another library. It has one section.
func forwardingDLL(dll, name, forward string) []byte {
	const base, block = 0x1000, 0x200 // address of the section; unit of the file
	exports := exportSection(base, dll, name, forward)
	size := uint32(len(exports))
	optional := pe.OptionalHeader64{
		Magic: 0x20b, SizeOfInitializedData: block, BaseOfCode: base, ImageBase: 0x180000000,
		SectionAlignment: base, FileAlignment: block, MajorOperatingSystemVersion: 6, MajorSubsystemVersion: 6,
		SizeOfImage: 2 * base, SizeOfHeaders: block, Subsystem: pe.IMAGE_SUBSYSTEM_WINDOWS_CUI,
		DllCharacteristics: pe.IMAGE_DLLCHARACTERISTICS_NX_COMPAT, NumberOfRvaAndSizes: 16,
	}
	optional.DataDirectory[pe.IMAGE_DIRECTORY_ENTRY_EXPORT] = pe.DataDirectory{VirtualAddress: base, Size: size}

	var f bytes.Buffer
	f.WriteString("MZ")
	f.Write(make([]byte, 0x3a))
	put(&f, uint32(0x40)) // where the PE header is
	f.WriteString("PE\x00\x00")
	put(&f, pe.FileHeader{
		Machine: pe.IMAGE_FILE_MACHINE_AMD64, NumberOfSections: 1, SizeOfOptionalHeader: uint16(binary.Size(optional)),
		Characteristics: pe.IMAGE_FILE_DLL | pe.IMAGE_FILE_EXECUTABLE_IMAGE | pe.IMAGE_FILE_LARGE_ADDRESS_AWARE,
	})
	put(&f, optional)
	put(&f, pe.SectionHeader32{
		Name: [8]uint8([]byte(".edata\x00\x00")), VirtualSize: size, VirtualAddress: base, SizeOfRawData: block,
		PointerToRawData: block, Characteristics: pe.IMAGE_SCN_CNT_INITIALIZED_DATA | pe.IMAGE_SCN_MEM_READ,
	})
	f.Write(make([]byte, block-f.Len()))
	f.Write(exports)
	f.Write(make([]byte, block-size))
	return f.Bytes()
}

// exportSection is an export directory with its tables and names: the function
// of an export that is forwarded is the address of a text.
func exportSection(base uint32, dll, name, forward string) []byte {
	const directory, tables = 40, 12
	dllAt := base + directory + tables
	nameAt := dllAt + uint32(len(dll)) + 1
	forwardAt := nameAt + uint32(len(name)) + 1
	var s bytes.Buffer
	put(&s, []uint32{0, 0, 0, dllAt, 1, 1, 1, base + directory, base + directory + 4, base + directory + 8})
	put(&s, []uint32{forwardAt, nameAt, 0})
	s.WriteString(dll + "\x00" + name + "\x00" + forward + "\x00")
	return s.Bytes()
}

func put(b *bytes.Buffer, v any) {
	if err := binary.Write(b, binary.LittleEndian, v); err != nil {
		panic("BUG: " + err.Error())
	}
}
