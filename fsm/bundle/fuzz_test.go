package bundle

import (
	"bytes"
	"testing"
)

// What Decode takes is what Encode makes: a content has one encoding, and so
// one digest (I6).
func FuzzDecode(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte(magic))
	f.Add(encode(f, nil))
	f.Add(encode(f, example()))
	f.Add(append([]byte(magic), 2, 1, 'a', 0, 1, 'b', 1, 'x'))
	f.Add(append([]byte(magic), 0x81, 0x00, 1, 'a', 0))
	f.Fuzz(func(t *testing.T, data []byte) {
		files, err := Decode(data)
		if err != nil {
			return
		}
		again, err := Encode(files)
		if err != nil {
			t.Fatalf("what was decoded cannot be encoded: %v", err)
		}
		if !bytes.Equal(again, data) {
			t.Fatalf("%x was taken for %x", data, again)
		}
	})
}

// No stream makes Decompress give anything but what was asked for.
func FuzzDecompress(f *testing.F) {
	const limit = 1 << 20
	packed := Compress(encode(f, example()))
	f.Add(packed, int64(len(encode(f, example()))))
	f.Add(Compress(nil), int64(0))
	f.Add(packed[:len(packed)/2], int64(100))
	f.Fuzz(func(t *testing.T, data []byte, size int64) {
		raw, err := Decompress(data, size, limit)
		if err == nil && (int64(len(raw)) != size || size > limit) {
			t.Fatalf("%d bytes came out, %d were asked for", len(raw), size)
		}
	})
}
