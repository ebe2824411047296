package bundle

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/zstd"
	"go.uber.org/goleak"
)

func TestDecompressReadsWhatCompressWrote(t *testing.T) {
	defer goleak.VerifyNone(t)
	for _, size := range []int{0, 1, 10, 255, 256, 1000, 1023, 1024, 70_000, 1 << 20, 9 << 20} {
		// A few bytes at random: neither all literals nor all repeats.
		random := rand.New(rand.NewPCG(1, uint64(size)))
		raw := make([]byte, size)
		for i := 0; i < size; i += 1 + size/1000 {
			raw[i] = byte(random.Uint32())
		}
		got, err := Decompress(Compress(raw), int64(size), int64(size))
		if err != nil {
			t.Fatalf("%d bytes: %v", size, err)
		}
		if !bytes.Equal(got, raw) {
			t.Errorf("%d bytes came back changed", size)
		}
	}
}

func TestDecompressRefuses(t *testing.T) {
	defer goleak.VerifyNone(t)
	raw := bytes.Repeat([]byte("honua "), 1000)
	packed := Compress(raw)
	size := int64(len(raw))
	damaged := bytes.Clone(packed)
	damaged[len(damaged)-1] ^= 1
	tests := map[string]struct {
		packed        []byte
		rawSize, most int64
		want          error
	}{
		"more than was said":      {packed, size - 1, size, ErrSize},
		"less than was said":      {packed, size + 1, 2 * size, ErrSize},
		"more than is allowed":    {packed, size, size - 1, ErrSize},
		"a negative size":         {packed, -1, size, ErrSize},
		"a bomb":                  {Compress(make([]byte, 64<<20)), size, size, ErrSize},
		"a bomb of unknown size":  {streamed(t, make([]byte, 64<<20)), size, size, ErrSize},
		"a second stream":         {append(bytes.Clone(packed), packed...), size, 2 * size, ErrSize},
		"a stream that was cut":   {packed[:len(packed)-5], size, size, ErrCompressed},
		"a wrong checksum":        {damaged, size, size, ErrCompressed},
		"what is not zstd":        {[]byte("not zstd"), size, size, ErrCompressed},
		"bytes after the stream":  {append(bytes.Clone(packed), "more"...), size, size, ErrCompressed},
		"nothing, for a content":  {nil, size, size, ErrSize},
		"a size that is too much": {packed, 1 << 62, size, ErrSize},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := Decompress(test.packed, test.rawSize, test.most); !errors.Is(err, test.want) {
				t.Errorf("the error is %v, want %v", err, test.want)
			}
		})
	}
}

// streamed makes a stream whose header does not tell the size.
func streamed(t *testing.T, raw []byte) []byte {
	t.Helper()
	var packed bytes.Buffer
	encoder, err := zstd.NewWriter(&packed, zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := encoder.Write(raw); err != nil {
		t.Fatal(err)
	}
	if err := encoder.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}
