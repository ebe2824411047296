package postgis

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/honua-io/honua-gitops/reconciler/registry"
)

// connectionFailure is the operator runbook's wording.
const connectionFailure = "Database connection failure"

// SQLSTATE codes that are dealt with by themselves.
const (
	codeUndefinedTable  = "42P01"
	codeUndefinedColumn = "42703"
	codeStalePlan       = "0A000" // "cached plan must not change result type"
	codeInternal        = "XX000" // PROJ could not convert a coordinate
	codeQueryCanceled   = "57014"
)

// unreachable is the failure to get a connection.
func unreachable(ctx context.Context, where string, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	return fmt.Errorf("%w: %s: %s: %s", registry.ErrUnavailable, connectionFailure, where, connectReason(err))
}

// failed is the failure of a statement.
func failed(ctx context.Context, where string, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	var answer *pgconn.PgError
	if errors.As(err, &answer) && !isConnectionClass(answer.Code) {
		return refused{answer}
	}
	return unreachable(ctx, where, err)
}

// refused is a statement that the database understood and did not run.
type refused struct{ answer *pgconn.PgError }

func (r refused) Error() string {
	return fmt.Sprintf("%s: the database refused the statement: %s (SQLSTATE %s)",
		registry.ErrUnavailable, r.answer.Message, r.answer.Code)
}

func (r refused) Unwrap() []error { return []error{registry.ErrUnavailable, r.answer} }

// isConnectionClass knows the codes of answers that are about the connection and may quote its user or database.
func isConnectionClass(code string) bool {
	for _, class := range []string{"08", "28", "3D", "53", "57P"} {
		if strings.HasPrefix(code, class) {
			return true
		}
	}
	return false
}

// connectReason is why a connection failed, in words of its own: pgx's quote user, database and host.
func connectReason(err error) string {
	if answer := (*pgconn.PgError)(nil); errors.As(err, &answer) {
		return refusal(answer.Code)
	}
	var (
		unknownHost *net.DNSError
		unknownCA   x509.UnknownAuthorityError
		wrongHost   x509.HostnameError
		invalid     x509.CertificateInvalidError
	)
	switch {
	case errors.As(err, &unknownHost):
		return "the host's name is not known"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ENOENT):
		return "there is no such socket"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "there is no route to the host"
	case errors.As(err, &unknownCA):
		return "the server's certificate is of an unknown authority (Root Certificate or sslrootcert names a trusted one)"
	case errors.As(err, &wrongHost):
		return "the server's certificate is for another host"
	case errors.As(err, &invalid):
		return "the server's certificate is not valid"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), pgconn.Timeout(err):
		return "no answer in time"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET),
		errors.Is(err, syscall.EPIPE), errors.Is(err, net.ErrClosed):
		return "the connection broke"
	case strings.Contains(err.Error(), "server refused TLS"):
		return "the server has no TLS; SSL Mode asks for it"
	}
	return "the connection failed"
}

// refusal explains the code with which a server turns a connection away.
func refusal(code string) string {
	reasons := map[string]string{
		"28P01": "password authentication failed",
		"28000": "the server does not let this user in from here",
		"3D000": "the database does not exist",
		"42501": "the user may not connect to the database",
		"53300": "the server has too many connections",
		"57P01": "the server is shutting down",
		"57P03": "the server is starting up",
		"42704": "the server does not know a parameter of the connection string",
		"22023": "a parameter of the connection string has an invalid value",
	}
	if reason, known := reasons[code]; known {
		return fmt.Sprintf("%s (SQLSTATE %s)", reason, code)
	}
	return "the server refused the connection (SQLSTATE " + code + ")"
}

// isBroken reports whether a statement may have failed because its connection had broken before.
func isBroken(err error) bool {
	var answer *pgconn.PgError
	if errors.As(err, &answer) {
		return strings.HasPrefix(answer.Code, "57P") || strings.HasPrefix(answer.Code, "08")
	}
	return true
}

func hasCode(err error, codes ...string) bool {
	var answer *pgconn.PgError
	if !errors.As(err, &answer) {
		return false
	}
	for _, code := range codes {
		if answer.Code == code {
			return true
		}
	}
	return false
}
