package postgis

import (
	"context"
	"strconv"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// keptStatements bounds how many statements a connection keeps prepared: whoever asks with ever other combinations of
// conditions must not fill the server's memory.
const keptStatements = 256

// prepared are the statements of one connection, by their text.
type prepared struct {
	known map[string]*pgconn.StatementDescription
	made  uint64
}

// preparedKey is where a connection keeps its own.
const preparedKey = "honua.prepared"

func preparedOf(conn *pgconn.PgConn) *prepared {
	if known, ok := conn.CustomData()[preparedKey].(*prepared); ok {
		return known
	}
	made := &prepared{known: make(map[string]*pgconn.StatementDescription)}
	conn.CustomData()[preparedKey] = made
	return made
}

// get returns a statement's description, prepared now if this connection does not have it.
func (ps *prepared) get(ctx context.Context, conn *pgconn.PgConn, sql []byte) (*pgconn.StatementDescription, error) {
	if known := ps.known[string(sql)]; known != nil {
		return known, nil
	}
	if len(ps.known) >= keptStatements {
		for text := range ps.known { // whichever comes first
			if err := ps.forget(ctx, conn, text); err != nil {
				return nil, err
			}
			break
		}
	}
	ps.made++
	made, err := conn.Prepare(ctx, "honua_"+strconv.FormatUint(ps.made, 10), string(sql), nil)
	if err != nil {
		return nil, err
	}
	ps.known[string(sql)] = made
	return made, nil
}

func (ps *prepared) forget(ctx context.Context, conn *pgconn.PgConn, sql string) error {
	name := ps.known[sql].Name
	delete(ps.known, sql)
	return conn.Deallocate(ctx, name)
}

// run sends a statement and its values in one go.
func (s *statement) run(ctx context.Context, pooled *pgxpool.Conn) (*pgconn.ResultReader, error) {
	conn := pooled.Conn().PgConn()
	if s.fresh {
		return conn.ExecParams(ctx, string(s.sql), s.values, nil, s.formats, s.results), nil
	}
	known, err := preparedOf(conn).get(ctx, conn, s.sql)
	if err != nil {
		return nil, err
	}
	return conn.ExecStatement(ctx, known, s.values, s.formats, s.results), nil
}

// forget makes the connection prepare the statement anew the next time: its failure may be that it is out of date.
func (s *statement) forget(ctx context.Context, pooled *pgxpool.Conn) {
	conn := pooled.Conn().PgConn()
	if ps := preparedOf(conn); ps.known[string(s.sql)] != nil {
		// A connection that cannot do that is not used again.
		_ = ps.forget(ctx, conn, string(s.sql))
	}
}
