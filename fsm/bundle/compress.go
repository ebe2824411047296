package bundle

import (
	"errors"
	"fmt"

	"github.com/klauspost/compress/zstd"
)

// Errors of Decompress.
var (
	// ErrSize is a content that is not as large as was said, or larger than
	// the limit.
	ErrSize = errors.New("the content has another size than was said")
	// ErrCompressed is bytes that are not a whole zstd stream.
	ErrCompressed = errors.New("the compressed content is damaged")
)

// maxWindow is the window of the encoder's level, bytes: a stream that asks for
// more was not made by Compress.
const maxWindow = 8 << 20

// Compressor packs many encodings. To make one takes as long as to pack a small content a hundred times. It may be used
// by many goroutines, which take turns.
type Compressor struct{ encoder *zstd.Encoder }

// NewCompressor makes a Compressor.
func NewCompressor() Compressor {
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedDefault))
	if err != nil {
		// The options are constant: this cannot depend on what is given.
		panic(fmt.Sprintf("the options of zstd do not fit together: %v", err))
	}
	return Compressor{encoder}
}

// Compress packs an encoding with zstd. Equal input makes equal output only
// within one build: the digest is therefore of the encoding, not of this.
func (c Compressor) Compress(encoded []byte) []byte {
	return c.encoder.EncodeAll(encoded, make([]byte, 0, len(encoded)/2))
}

// Compress is that of a Compressor of its own.
func Compress(encoded []byte) []byte { return NewCompressor().Compress(encoded) }

// Decompress unpacks what Compress packed. rawSize is the exact size of the
// encoding, at most limit, bytes; no more memory than that is taken for it,
// whatever the stream says. The errors are ErrSize and ErrCompressed, with the
// same text on every build, because state machines answer with them.
func Decompress(compressed []byte, rawSize, limit int64) ([]byte, error) {
	if rawSize < 0 || rawSize > limit {
		return nil, fmt.Errorf("%w: %d bytes, at most %d are taken", ErrSize, rawSize, limit)
	}
	decoder, err := zstd.NewReader(nil,
		zstd.WithDecoderConcurrency(1),
		zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxMemory(uint64(max(rawSize, maxWindow))),
		zstd.WithDecoderMaxWindow(maxWindow),
		zstd.WithDecodeAllCapLimit(true),
	)
	if err != nil {
		return nil, fmt.Errorf("the options of zstd do not fit together: %w", err)
	}
	defer decoder.Close()
	raw, err := decoder.DecodeAll(compressed, make([]byte, 0, rawSize))
	switch {
	case errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return nil, fmt.Errorf("%w: more than %d bytes", ErrSize, rawSize)
	case err != nil:
		return nil, ErrCompressed
	case int64(len(raw)) != rawSize:
		return nil, fmt.Errorf("%w: %d bytes, not %d", ErrSize, len(raw), rawSize)
	}
	return raw, nil
}
