package container

import (
	"archive/zip"
	"io"
)

func init() {
	register(format{name: "torch-zip", write: torchZipFile})
	register(format{name: "torch-zip-sharded", write: torchZipShards})
}

func torchZipFile(tensors []Tensor, _ int64, create Create) error {
	return writeFile(create, "pytorch_model.bin", func(w io.Writer) error { return writeTorchZip(w, tensors) })
}

func torchZipShards(tensors []Tensor, shardBytes int64, create Create) error {
	s := sharded{"pytorch_model", ".bin", "pytorch_model.bin.index.json", writeTorchZip}
	return s.files(tensors, shardBytes, create)
}

// writeTorchZip writes what torch has saved since 1.6: a zip archive of a
// pickle and one entry per storage.
func writeTorchZip(w io.Writer, tensors []Tensor) error {
	storages, err := storagesOf(tensors)
	if err != nil {
		return err
	}
	z := zip.NewWriter(w)
	if err := writeEntry(z, "data.pkl", stateDict(tensors, storages, false)); err != nil {
		return err
	}
	if err := writeEntry(z, "byteorder", []byte("little")); err != nil {
		return err
	}
	for i, t := range tensors {
		if !storages[i].first {
			continue
		}
		entry, err := createEntry(z, "data/"+storages[i].key)
		if err != nil {
			return err
		}
		if err := writeValues(entry, t); err != nil {
			return err
		}
	}
	if err := writeEntry(z, "version", []byte("3\n")); err != nil {
		return err
	}
	return z.Close()
}

// createEntry begins an uncompressed entry below torch's one folder.
func createEntry(z *zip.Writer, name string) (io.Writer, error) {
	return z.CreateHeader(&zip.FileHeader{Name: "pytorch_model/" + name, Method: zip.Store})
}

func writeEntry(z *zip.Writer, name string, text []byte) error {
	entry, err := createEntry(z, name)
	if err != nil {
		return err
	}
	_, err = entry.Write(text)
	return err
}
