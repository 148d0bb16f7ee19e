package tokenizer

import (
	"encoding/binary"
	"fmt"
)

// The layout of a table, all numbers little endian:
//
//	magic │ version, number of sections │ directory: kind, zero, offset,
//	length of each section │ sections, each on a border of sectionAlign
const (
	version      = 2
	magic        = "mbtoken\x00"
	headerBytes  = len(magic) + 8
	entryBytes   = 16
	sectionAlign = 16
)

// The sections, all of which a table has, in this order.
const (
	normalizerSection   = iota + 1 // steps
	preTokenizerSection            // steps
	flagSection                    // one byte of token flags per id
	endSection                     // uint32 per id: where its bytes end in byteSection
	byteSection                    // the bytes of all tokens
	alphabetSection                // int32 per byte
	mergeSection                   // hash table
	rawSection                     // added tokens, looked for in the text as it is
	normalizedSection              // added tokens, looked for in normalised text
	templateSection                // ids around a text
	decoderSection                 // steps
	modelSection                   // kind and parameters of the model
	pieceSection                   // hash table
	scoreSection                   // float64 per id, for models that have scores
	lastSection         = scoreSection
)

// The flags of a token.
const (
	knownFlag = 1 << iota
	specialFlag
	allTokenFlags = 1<<iota - 1
)

var order = binary.LittleEndian

// Append appends the table in its binary form, which Open reads.
func (t *Table) Append(dst []byte) ([]byte, error) {
	if err := t.Check(); err != nil {
		return nil, fmt.Errorf("tokenizer: %w", err)
	}
	sections, err := t.sections()
	if err != nil {
		return nil, fmt.Errorf("tokenizer: %w", err)
	}
	dst = append(dst, magic...)
	dst = order.AppendUint32(dst, version)
	dst = order.AppendUint32(dst, lastSection)
	offset := headerBytes + lastSection*entryBytes
	for i, s := range sections {
		offset = align(offset)
		dst = order.AppendUint32(dst, uint32(i+1))
		dst = order.AppendUint32(dst, 0)
		dst = order.AppendUint32(dst, uint32(offset))
		dst = order.AppendUint32(dst, uint32(len(s)))
		offset += len(s)
	}
	offset = headerBytes + lastSection*entryBytes
	for _, s := range sections {
		padding := align(offset) - offset
		dst = append(dst, make([]byte, padding)...)
		dst = append(dst, s...)
		offset += padding + len(s)
	}
	return dst, nil
}

// sections returns the bytes of every section in order. Together they stay
// below 4 GiB: tokens take at most MaxSize*MaxContent, merges 128 MiB.
func (t *Table) sections() ([lastSection][]byte, error) {
	flags, ends, text := t.vocabulary()
	merges, err := appendMerges(nil, t.Merges)
	if err != nil {
		return [lastSection][]byte{}, err
	}
	pieces, err := appendPieces(nil, t.Pieces, maxNodes)
	if err != nil {
		return [lastSection][]byte{}, err
	}
	raw, normalized, err := t.addedTokens()
	if err != nil {
		return [lastSection][]byte{}, err
	}
	return [lastSection][]byte{
		normalizerSection - 1:   appendSteps(nil, t.Normalizers),
		preTokenizerSection - 1: appendSteps(nil, t.PreTokenizers),
		flagSection - 1:         flags,
		endSection - 1:          ends,
		byteSection - 1:         text,
		alphabetSection - 1:     appendIDs(nil, t.Alphabet[:]),
		mergeSection - 1:        merges,
		rawSection - 1:          appendAdded(nil, raw),
		normalizedSection - 1:   appendAdded(nil, normalized),
		templateSection - 1:     appendTemplate(nil, t.Prefix, t.Suffix),
		decoderSection - 1:      appendSteps(nil, t.Decoders),
		modelSection - 1:        t.Model.append(nil),
		pieceSection - 1:        pieces,
		scoreSection - 1:        t.scores(),
	}, nil
}

// vocabulary returns the flags, the ends and the bytes of all tokens.
func (t *Table) vocabulary() (flags, ends, text []byte) {
	for _, token := range t.Tokens {
		flag := byte(0)
		if token.Known {
			flag |= knownFlag
			text = append(text, token.Bytes...)
		}
		if token.Special {
			flag |= specialFlag
		}
		flags = append(flags, flag)
		ends = order.AppendUint32(ends, uint32(len(text)))
	}
	return flags, ends, text
}

// appendTemplate writes the number of ids before the text, then all ids.
func appendTemplate(dst []byte, prefix, suffix []int32) []byte {
	dst = order.AppendUint32(dst, uint32(len(prefix)))
	return appendIDs(appendIDs(dst, prefix), suffix)
}

func appendIDs(dst []byte, ids []int32) []byte {
	for _, id := range ids {
		dst = order.AppendUint32(dst, uint32(id))
	}
	return dst
}

func align(offset int) int {
	return (offset + sectionAlign - 1) &^ (sectionAlign - 1)
}
