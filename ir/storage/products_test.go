package storage

import (
	"crypto/sha256"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestProducts compares with sums in float64, at sizes beside those of tiles,
// and the encoder with that of the whole matrix.
func TestProducts(t *testing.T) {
	format, _ := LookupCoded("int8")
	digest := sha256.New()
	for _, size := range []struct{ columns, rows int }{{1, 1}, {2, 3}, {7, 300}, {64, 257}, {1030, 20}} {
		r := rand.New(rand.NewPCG(uint64(size.columns), 1))
		rows := make([]float32, size.rows*size.columns)
		for i := range rows {
			rows[i] = float32(r.NormFloat64())
		}
		p := NewProducts(format, size.columns)
		half := size.rows / 2 * size.columns
		p.Add(rows[:half])
		p.Add(rows[half:])
		encoder, err := p.Encoder()
		if err != nil {
			t.Fatal(err)
		}
		for i := range size.columns {
			block := p.sums[i/1024]
			lo := i / 1024 * 1024
			n := min(1024, size.columns-lo)
			for j := lo; j < lo+n; j++ {
				want := 0.0
				for at := 0; at < len(rows); at += size.columns {
					want += float64(rows[at+i]) * float64(rows[at+j])
				}
				if got := float64(block[(i-lo)*n+j-lo]); math.Abs(got-want) > 1e-4*math.Sqrt(float64(size.rows)) {
					t.Fatalf("%v: product of columns %d and %d is %g, want %g", size, i, j, got, want)
				}
			}
		}
		whole, err := Compensate(format, p.sums, size.columns)
		if err != nil {
			t.Fatal(err)
		}
		row := rows[:size.columns]
		a, b := make([]uint8, len(row)), make([]uint8, len(row))
		scales := make([]uint16, format.Groups(len(row)))
		if err := encoder.Encode(row, a, scales); err != nil {
			t.Fatal(err)
		}
		if err := whole.Encode(row, b, scales); err != nil || !slices.Equal(a, b) {
			t.Fatalf("%v: the encoder is not that of its products (%v)", size, err)
		}
		digest.Write(a)
	}
	if got := fmt.Sprintf("%.8x", digest.Sum(nil)); got != "69d5cb0fc64a508e" {
		t.Errorf("other codes than ever: digest %s", got)
	}
}

// TestProductsOfBlocks: memory grows with columns, not with their square.
func TestProductsOfBlocks(t *testing.T) {
	format, _ := LookupCoded("int4")
	const columns = 8 * BlockColumns
	held := 0
	for _, sums := range NewProducts(format, columns).sums {
		held += len(sums)
	}
	if held != columns*BlockColumns {
		t.Errorf("%d products for %d columns, want those of blocks of %d", held, columns, BlockColumns)
	}
}

// TestProductsOfNothing wants the format's own rounding where inputs tell
// nothing.
func TestProductsOfNothing(t *testing.T) {
	format, _ := LookupCoded("int4")
	p := NewProducts(format, 8)
	p.Add(make([]float32, 16))
	if e, err := p.Encoder(); err != nil || e != Encoder(format) {
		t.Errorf("have %v, %v, want the format", e, err)
	}
}

func BenchmarkProducts(b *testing.B) {
	format, _ := LookupCoded("int4")
	rows := make([]float32, 256*1024)
	p := NewProducts(format, 1024)
	for b.Loop() {
		p.Add(rows)
	}
	b.ReportMetric(256*1024*1024/2*float64(b.N)/b.Elapsed().Seconds()/1e9, "Gproducts/s")
}
