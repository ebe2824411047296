package postgis

import (
	"context"
	"encoding/binary"
	"errors"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/honua-io/honua-gitops/reconciler/registry"
	"github.com/honua-io/honua-gitops/reconciler/registry/wkb"
)

// featureBytes is what a feature's buffer begins with, and keptBytes up to where one is used again.
const (
	featureBytes = 1 << 10
	keptBytes    = 256 << 10
)

// rows runs a statement and hands out each row as a feature, whose bytes are valid during the call, until take says
// that it wants no more. more tells whether rows were left, and counted what the rows say of how many match; -1 if
// they do not.
func (s *source) rows(ctx context.Context, conn *pgxpool.Conn, p *plan, st *statement, crs registry.CRS,
	take func(feature []byte) (bool, error),
) (more bool, counted int, err error) {
	counted = -1
	answer, err := st.run(ctx, conn)
	if err != nil {
		return false, counted, s.classify(ctx, err)
	}
	buffer := s.buffer()
	defer s.keep(buffer)
	taken := 0
	var stopped error
	for stopped == nil && answer.NextRow() {
		row := answer.Values()
		if taken == 0 && len(row) > p.width() && len(row[p.width()]) == 8 {
			counted = int(binary.BigEndian.Uint64(row[p.width()]))
		}
		*buffer, stopped = p.append((*buffer)[:0], row, wkb.Options{NorthFirst: crs.NorthFirst})
		if stopped != nil {
			stopped = errors.Join(registry.ErrUnavailable, stopped)
			break
		}
		var goOn bool
		if goOn, stopped = take(*buffer); !goOn {
			more = stopped == nil
			break
		}
		taken++
	}
	_, err = answer.Close()
	switch {
	case stopped != nil:
		return false, counted, stopped
	case err == nil || more:
		return more, counted, nil
	}
	st.forget(ctx, conn)
	if taken == 0 {
		return false, counted, s.classify(ctx, err)
	}
	return false, counted, failed(ctx, s.where, err)
}

// count runs a statement whose one value is a number.
func (s *source) count(ctx context.Context, conn *pgxpool.Conn, st *statement) (int, error) {
	answer, err := st.run(ctx, conn)
	if err != nil {
		return -1, failed(ctx, s.where, err)
	}
	counted := -1
	if answer.NextRow() && len(answer.Values()[0]) == 8 {
		counted = int(binary.BigEndian.Uint64(answer.Values()[0]))
	}
	if _, err := answer.Close(); err != nil {
		st.forget(ctx, conn)
		return -1, failed(ctx, s.where, err)
	}
	return counted, nil
}

func (s *source) buffer() *[]byte {
	if buffer, ok := s.buffers.Get().(*[]byte); ok {
		return buffer
	}
	buffer := make([]byte, 0, featureBytes)
	return &buffer
}

func (s *source) keep(buffer *[]byte) {
	if cap(*buffer) <= keptBytes {
		s.buffers.Put(buffer)
	}
}
