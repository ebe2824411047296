package gitserver

import (
	"bytes"
	"crypto/sha1" // Git's object names
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"slices"
)

// Line is one pkt-line.
func Line(text string) string { return fmt.Sprintf("%04x%s", len(text)+4, text) }

// Pack is a pack that is written object by object, so that it can hold what git itself refuses to make.
type Pack struct {
	body  bytes.Buffer
	count uint32
	// Count replaces the number of objects in the header.
	Count func(count uint32) uint32
}

// NewPack begins an empty pack.
func NewPack() *Pack { return &Pack{} }

const packHeader = 12

// kinds are the numbers of the kinds of objects.
var kinds = map[string]byte{"commit": 1, "tree": 2, "blob": 3, "tag": 4}

// Next is where the next object will be.
func (p *Pack) Next() int { return packHeader + p.body.Len() }

// Whole adds an object as it is.
func (p *Pack) Whole(kind string, content []byte) *Pack {
	return p.Stream(kind, int64(len(content)), bytes.NewReader(content))
}

// Stream adds an object that claims a size and is what can be read.
func (p *Pack) Stream(kind string, claimed int64, content io.Reader) *Pack {
	p.header(kinds[kind], claimed)
	return p.deflate(content)
}

// Delta adds a difference from the object at a place, in the form of gitformat-pack(5): its sizes and instructions.
func (p *Pack) Delta(base int, script []byte) *Pack {
	back := p.Next() - base
	p.header(6, int64(len(script)))
	offset := []byte{byte(back & 0x7f)}
	for back >>= 7; back > 0; back >>= 7 {
		back--
		offset = append([]byte{byte(back&0x7f) | 0x80}, offset...)
	}
	p.body.Write(offset)
	return p.deflate(bytes.NewReader(script))
}

// DeltaOf adds a difference from an object by its name.
func (p *Pack) DeltaOf(base string, script []byte) *Pack {
	p.header(7, int64(len(script)))
	name, err := hex.DecodeString(base)
	if err != nil {
		panic(err)
	}
	p.body.Write(name)
	return p.deflate(bytes.NewReader(script))
}

func (p *Pack) header(kind byte, size int64) {
	p.count++
	b := kind<<4 | byte(size&0x0f)
	for size >>= 4; size > 0; size >>= 7 {
		p.body.WriteByte(b | 0x80)
		b = byte(size & 0x7f)
	}
	p.body.WriteByte(b)
}

func (p *Pack) deflate(content io.Reader) *Pack {
	if err := deflate(&p.body, content); err != nil {
		panic(err)
	}
	return p
}

// Bytes is the whole pack, with its checksum.
func (p *Pack) Bytes() []byte {
	count := p.count
	if p.Count != nil {
		count = p.Count(count)
	}
	out := binary.BigEndian.AppendUint32(append([]byte("PACK"), 0, 0, 0, 2), count)
	out = append(out, p.body.Bytes()...)
	sum := sha1.Sum(out)
	return append(out, sum[:]...)
}

// SendPack answers a request for a pack with this one.
func SendPack(pack []byte) Behaviour {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler, _ <-chan struct{}) {
		w.Header().Set("Content-Type", contentType(r))
		_, _ = io.WriteString(w, Line("packfile\n"))
		for part := range slices.Chunk(pack, 60_000) {
			_, _ = io.WriteString(w, Line("\x01"+string(part)))
		}
		_, _ = io.WriteString(w, "0000")
	}
}

// Name is the name of an object whose content is a stream.
func Name(kind string, size int64, content io.Reader) string {
	hash := sha1.New()
	fmt.Fprintf(hash, "%s %d\x00", kind, size)
	if _, err := io.CopyN(hash, content, size); err != nil {
		panic(err)
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// Nothing is an endless stream of zeros.
func Nothing() io.Reader { return zeros{} }

// Deflated adds an object of a size whose compressed content is given.
func (p *Pack) Deflated(kind string, size int64, compressed []byte) *Pack {
	p.header(kinds[kind], size)
	p.body.Write(compressed)
	return p
}

// Unknown adds an object of a kind by its number.
func (p *Pack) Unknown(kind byte, content []byte) *Pack {
	p.header(kind, int64(len(content)))
	return p.deflate(bytes.NewReader(content))
}
