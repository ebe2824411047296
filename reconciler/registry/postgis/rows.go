package postgis

import (
	"context"
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
// that it wants no more. more tells whether rows were left.
func (s *source) rows(ctx context.Context, conn *pgxpool.Conn, p *plan, st *statement, crs registry.CRS,
	take func(feature []byte) (bool, error),
) (more bool, err error) {
	answer, err := conn.Query(ctx, st.sql.String(), append([]any{p.formats()}, st.args...)...)
	if err != nil {
		return false, s.classify(ctx, err)
	}
	defer answer.Close()
	buffer := s.buffer()
	defer s.keep(buffer)
	taken := 0
	for answer.Next() {
		*buffer, err = p.append((*buffer)[:0], answer.RawValues(), wkb.Options{NorthFirst: crs.NorthFirst})
		if err != nil {
			return false, errors.Join(registry.ErrUnavailable, err)
		}
		goOn, err := take(*buffer)
		if err != nil {
			return false, err
		}
		if !goOn {
			more = true
			break
		}
		taken++
	}
	answer.Close()
	switch err := answer.Err(); {
	case err == nil || more:
		return more, nil
	case taken == 0:
		return false, s.classify(ctx, err)
	default:
		return false, failed(ctx, s.where, err)
	}
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
