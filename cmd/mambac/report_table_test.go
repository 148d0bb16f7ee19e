package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// disturbed is how much of a processor others may keep busy while something is
// measured.
const disturbed = 0.1

// quantity is a median with the least and the greatest; zero where nothing was
// measured.
type quantity struct{ Min, Median, Max float64 }

func newQuantity(values []float64) quantity {
	v := slices.Sorted(slices.Values(values))
	n := len(v)
	return quantity{v[0], (v[(n-1)/2] + v[n/2]) / 2, v[n-1]}
}

func spreadOf(q quantity, format string) string {
	if q.Median == 0 {
		return "–"
	}
	return fmt.Sprintf(format+" ("+format+"–"+format+")", q.Median, q.Min, q.Max)
}

func mebibytes(n float64) string {
	if n == 0 {
		return "–"
	}
	return fmt.Sprintf("%.0f", n/(1<<20))
}

// count is a number of things.
func count(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}

// writeNotes says what was not measured.
func writeNotes(b *strings.Builder, notes []string) {
	for i, note := range notes {
		if i == 0 {
			b.WriteString("\n## Not measured\n\n")
		}
		fmt.Fprintf(b, "* %s\n", note)
	}
}

func writeRow(b *strings.Builder, cells ...string) {
	fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
}

func writeRule(b *strings.Builder, cells int) {
	b.WriteString("|" + strings.Repeat("---|", cells) + "\n")
}

// marks are lines of the README between which a summary stands.
type marks struct{ begin, end string }

// renewed is a README with a new summary.
func (m marks) renewed(readme, summary string) (string, error) {
	before, rest, ok := strings.Cut(readme, m.begin)
	_, after, ended := strings.Cut(rest, m.end)
	if !ok || !ended {
		return "", fmt.Errorf("no marks %q and %q", strings.TrimSpace(m.begin), strings.TrimSpace(m.end))
	}
	return before + m.begin + summary + m.end + after, nil
}

// requireRendered holds documents made of invented figures against those of
// testdata, by their names.
func requireRendered(t *testing.T, folder string, documents map[string]string) {
	t.Helper()
	for name, got := range documents {
		path := filepath.Join("testdata", folder, name)
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil || got != string(want) {
			t.Errorf("%s (%v) is\n%s\nif that is meant: go test ./cmd/mambac -run %s -update", path, err, got, t.Name())
		}
	}
}

func TestMarks(t *testing.T) {
	m := marks{"begin\n", "end\n"}
	got, err := m.renewed("a\nbegin\nold\nend\nb\n", "new\n")
	if want := "a\nbegin\nnew\nend\nb\n"; err != nil || got != want {
		t.Errorf("have %q (%v), want %q", got, err, want)
	}
	if _, err := m.renewed("a\n", "new\n"); err == nil {
		t.Error("a README without marks is renewed")
	}
}

// TestMarksOfReadme: what a run of hours writes at its end has its place.
func TestMarksOfReadme(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []marks{peersMarks, contextMarks} {
		if _, err := m.renewed(string(text), ""); err != nil {
			t.Error(err)
		}
	}
}
