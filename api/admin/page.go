package admin

import (
	"encoding/base64"
	"encoding/binary"
	"hash/fnv"
	"iter"
	"strings"

	"google.golang.org/protobuf/proto"
)

// Sizes of a page: items, and bytes, so that an answer fits into the 4 MiB that
// gRPC clients take by default.
const (
	defaultPage  = 50
	maxPage      = 1000
	maxPageBytes = 3 << 20
)

func pageSize(asked uint32) int {
	if asked == 0 {
		return defaultPage
	}
	return int(min(asked, maxPage))
}

// tokenFormat is the first byte of a token.
const tokenFormat = 1

// pageToken says where a list goes on: after the item at a position. It is bound
// to what was asked, so that it cannot go on with another list.
func pageToken(position uint64, asked ...string) string {
	b := append([]byte{tokenFormat}, fingerprint(asked)...)
	return base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint64(b, position))
}

// position reads a token; without one it is the given start.
func position(token string, start uint64, asked ...string) (uint64, error) {
	if token == "" {
		return start, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(b) != 17 || b[0] != tokenFormat {
		return 0, badToken("is not a token of this server")
	}
	if string(b[1:9]) != string(fingerprint(asked)) {
		return 0, badToken("belongs to another list: ask with what the first page was asked with")
	}
	return binary.BigEndian.Uint64(b[9:]), nil
}

func badToken(why string) error {
	var c check
	c.add("page_token", "%s", why)
	return c.err()
}

func fingerprint(asked []string) []byte {
	h := fnv.New64a()
	h.Write([]byte(strings.Join(asked, "\x00")))
	return h.Sum(nil)
}

// page takes items until it is full. more reports that there are others after
// last, the last item taken.
func page[R any, M proto.Message](items iter.Seq[R], size int, convert func(R) M) (page []M, last R, more bool) {
	bytes := 0
	for item := range items {
		if len(page) == size {
			return page, last, true
		}
		m := convert(item)
		bytes += proto.Size(m)
		if bytes > maxPageBytes && len(page) > 0 {
			return page, last, true
		}
		page, last = append(page, m), item
	}
	return page, last, false
}
