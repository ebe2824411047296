package ogc

import (
	"io"
	"net/http"
	"strconv"

	"github.com/klauspost/compress/gzip"
)

// streamBytes is how much of a response is held back: a failure before that still gets a proper status.
const streamBytes = 32 << 10

// stream writes a response through a buffer of fixed size, compressed if asked for. The header goes out with the
// first full buffer, or at the end.
type stream struct {
	x       *exchange
	buffer  []byte
	tail    []byte       // what stands after the features, put together here
	zipper  *gzip.Writer // nil: not compressed
	zip     bool
	started bool
}

func (h *Handler) newStream(x *exchange) *stream {
	s, ok := h.buffers.Get().(*stream)
	if !ok {
		s = &stream{buffer: make([]byte, 0, streamBytes)}
	}
	s.x, s.buffer, s.started, s.zip = x, s.buffer[:0], false, acceptsGzip(x.r) && x.r.Method != http.MethodHead
	return s
}

// free gives the buffers back.
func (h *Handler) freeStream(s *stream) {
	if s.zipper != nil {
		h.zippers.Put(s.zipper)
	}
	s.x, s.zipper = nil, nil
	h.buffers.Put(s)
}

func (s *stream) write(part []byte) error {
	if len(s.buffer)+len(part) > cap(s.buffer) {
		if err := s.flush(); err != nil {
			return err
		}
		if len(part) > cap(s.buffer) {
			return s.pass(part)
		}
	}
	s.buffer = append(s.buffer, part...)
	return nil
}

// finish sends what is left. A response that was held back whole is sent with its length.
func (s *stream) finish() error {
	if !s.started && len(s.buffer) < minGzipBytes {
		s.zip = false
	}
	if !s.started && !s.zip {
		s.x.w.Header().Set("Content-Length", strconv.Itoa(len(s.buffer)))
	}
	if err := s.flush(); err != nil {
		return err
	}
	if s.zipper != nil {
		return s.zipper.Close()
	}
	return nil
}

func (s *stream) flush() error {
	s.start()
	err := s.pass(s.buffer)
	s.buffer = s.buffer[:0]
	return err
}

func (s *stream) start() {
	if s.started {
		return
	}
	s.started = true
	if s.zip {
		s.x.w.Header().Set("Content-Encoding", "gzip")
		s.zipper = s.x.h.newZipper(s.x.w)
	}
	s.x.status = http.StatusOK
	s.x.w.WriteHeader(s.x.status)
}

func (s *stream) pass(part []byte) error {
	target := io.Writer(s.x.w)
	if s.zipper != nil {
		target = s.zipper
	}
	_, err := target.Write(part)
	return err
}

// newZipper prefers speed: features are sent once and thrown away.
func (h *Handler) newZipper(w io.Writer) *gzip.Writer {
	if zipper, ok := h.zippers.Get().(*gzip.Writer); ok {
		zipper.Reset(w)
		return zipper
	}
	zipper, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return gzip.NewWriter(w) // not reached: the level is a constant of the package
	}
	return zipper
}
