package postgis

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/honua-io/honua-gitops/reconciler/registry"
)

// What holds unless the connection string says otherwise.
const (
	defaultConnections      = 10
	defaultConnectTimeout   = 5 * time.Second
	defaultStatementTimeout = 30 * time.Second
	// healthPeriod is how often idle connections are looked after.
	healthPeriod = 30 * time.Second
	// cancelGrace is how long a cancelled statement may take to end before its connection is cut.
	cancelGrace = 2 * time.Second
)

// parseConnection reads a connection string of either style. Its errors show nothing of the string but known keywords.
func parseConnection(text string) (*pgxpool.Config, error) {
	text = strings.TrimSpace(text)
	isURL := strings.HasPrefix(text, "postgres://") || strings.HasPrefix(text, "postgresql://")
	dsn := text
	if !isURL {
		pairs, err := parsePairs(text)
		if err != nil {
			return nil, err
		}
		if dsn, err = translate(pairs); err != nil {
			return nil, err
		}
	}
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		// The parser quotes what it could not read, and that may be a password.
		remedy := "look at port, SSL mode and the files of certificates"
		if isURL {
			remedy = "write postgres://user:password@host:port/database?sslmode=…, special characters of user and password percent-encoded"
		}
		return nil, fmt.Errorf("%w: %s", registry.ErrConnectionString, remedy)
	}
	restrict(config, strings.Contains(dsn, "pool_max_conns"))
	return config, nil
}

// restrict makes every connection read-only, bounded in time, and its answers independent of the server's settings.
func restrict(config *pgxpool.Config, bounded bool) {
	if !bounded {
		config.MaxConns = defaultConnections
	}
	config.MinConns = min(config.MinConns, config.MaxConns)
	config.HealthCheckPeriod = healthPeriod
	c := config.ConnConfig
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = defaultConnectTimeout
	}
	p := c.RuntimeParams
	p["default_transaction_read_only"] = "on"
	p["datestyle"] = "ISO"
	p["intervalstyle"] = "iso_8601"
	p["bytea_output"] = "hex"
	p["timezone"] = "UTC"
	p["extra_float_digits"] = "1"
	if p["application_name"] == "" {
		p["application_name"] = "honua"
	}
	if p["statement_timeout"] == "" {
		p["statement_timeout"] = strconv.FormatInt(defaultStatementTimeout.Milliseconds(), 10)
	}
	// A client that goes away ends its statement, not the connection.
	c.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: cancelGrace}
	}
}

// place says where a connection goes, as far as the configuration itself spells it out.
func place(config *pgxpool.Config, template string) string {
	c := config.ConnConfig
	return fmt.Sprintf("host %s, port %s, database %s", shown(c.Host, template),
		shown(strconv.Itoa(int(c.Port)), template), shown(c.Database, template))
}

// shown is a part of a connection string, unless it came out of a placeholder.
func shown(part, template string) string {
	if part == "" || !strings.Contains(strings.ToLower(template), strings.ToLower(part)) {
		return "as configured"
	}
	return strconv.Quote(part)
}

// open connects once, so that what is wrong with the connection is known now.
func open(ctx context.Context, config *pgxpool.Config) (*pgxpool.Pool, error) {
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	return pool, nil
}
