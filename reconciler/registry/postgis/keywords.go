package postgis

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/registry"
)

// keyword is what a keyword of Npgsql becomes for pgx.
type keyword struct {
	name    string // of pgx; empty: it has no meaning here and is passed over
	convert func(value string) (string, error)
}

// keywords are those of Npgsql's connection strings, folded, with their aliases, and libpq's spellings of the same.
func keywords() map[string]keyword {
	all := map[string]keyword{
		"statementtimeout": {name: "statement_timeout", convert: milliseconds},
		"commandtimeout":   {name: "statement_timeout", convert: secondsToMilliseconds},
		"sslmode":          {name: "sslmode", convert: sslMode},
		"maximumpoolsize":  {name: "pool_max_conns", convert: atLeastOne},
		"maxpoolsize":      {name: "pool_max_conns", convert: atLeastOne},
		"minimumpoolsize":  {name: "pool_min_conns", convert: wholeNumber},
		"minpoolsize":      {name: "pool_min_conns", convert: wholeNumber},

		"connectionlifetime":     {name: "pool_max_conn_lifetime", convert: lifetime},
		"loadbalancetimeout":     {name: "pool_max_conn_lifetime", convert: lifetime},
		"connectionidlelifetime": {name: "pool_max_conn_idle_time", convert: lifetime},
		"timeout":                {name: "connect_timeout", convert: wholeNumber},
		"connecttimeout":         {name: "connect_timeout", convert: wholeNumber},
	}
	for name, aliases := range map[string][]string{
		"host": {"host", "server"}, "port": {"port"}, "database": {"database", "db", "dbname"},
		"user":     {"username", "userid", "uid", "user"},
		"password": {"password", "psw", "pwd"}, "passfile": {"passfile"},
		"sslrootcert": {"rootcertificate", "sslrootcert"}, "sslcert": {"sslcertificate", "sslcert"},
		"sslkey": {"sslkey"}, "sslpassword": {"sslpassword"},
		"application_name": {"applicationname"}, "target_session_attrs": {"targetsessionattributes", "targetsessionattrs"},
		"options": {"options"},
	} {
		for _, alias := range aliases {
			all[alias] = keyword{name: name, convert: asWritten}
		}
	}
	for _, meaningless := range []string{
		"pooling", "trustservercertificate", "persistsecurityinfo", "includeerrordetail", "includeerrordetails", "enlist",
		"keepalive", "tcpkeepalive", "tcpkeepalivetime", "tcpkeepaliveinterval", "noresetonclose", "maxautoprepare",
		"autoprepareminusages", "readbuffersize", "writebuffersize", "socketreceivebuffersize", "socketsendbuffersize",
		"internalcommandtimeout", "cancellationtimeout", "connectionpruninginterval", "multiplexing", "logparameters",
		"loadtablecomposites", "arraynullabilitymode", "servercompatibilitymode", "channelbinding", "searchpath",
		"timezone", "encoding", "clientencoding", "checkcertificaterevocation", "loadbalancehosts", "hostrecheckseconds",
		"includerealm", "kerberosservicename", "integratedsecurity", "requireauth", "sslnegotiation", "gssencryptionmode",
	} {
		all[meaningless] = keyword{}
	}
	return all
}

func asWritten(value string) (string, error) { return value, nil }

func number(value string, least int) (int, error) {
	n, err := strconv.Atoi(value)
	if err != nil || n < least || n > 1<<30 {
		return 0, fmt.Errorf("expected a whole number of at least %d", least)
	}
	return n, nil
}

func wholeNumber(value string) (string, error) {
	n, err := number(value, 0)
	return strconv.Itoa(n), err
}

func atLeastOne(value string) (string, error) {
	n, err := number(value, 1)
	return strconv.Itoa(n), err
}

func milliseconds(value string) (string, error) { return wholeNumber(value) }

func secondsToMilliseconds(value string) (string, error) {
	n, err := number(value, 0)
	if err == nil && n > math.MaxInt32/1000 {
		err = fmt.Errorf("expected at most %d seconds", math.MaxInt32/1000)
	}
	return strconv.Itoa(n) + "000", err
}

// lifetime reads seconds, of which Npgsql takes 0 for no end and pgx for none at all.
func lifetime(value string) (string, error) {
	n, err := number(value, 0)
	if n == 0 {
		return "87600h", err
	}
	return strconv.Itoa(n) + "s", err
}

func sslMode(value string) (string, error) {
	switch foldKey(value) {
	case "disable", "allow", "prefer", "require":
		return foldKey(value), nil
	case "verifyca":
		return "verify-ca", nil
	case "verifyfull":
		return "verify-full", nil
	}
	return "", errors.New("expected Disable, Allow, Prefer, Require, VerifyCA or VerifyFull")
}

// translate turns pairs into what pgx reads, libpq's key='value' form. Of two values for the same thing the last one
// holds, as in Npgsql.
func translate(pairs []pair) (string, error) {
	known := keywords()
	values := make(map[string]string)
	var order []string
	for _, p := range pairs {
		k, ok := known[foldKey(p.key)]
		if !ok {
			return "", fmt.Errorf("%w: unknown keyword%s", registry.ErrConnectionString, suggestKey(p.key))
		}
		if k.name == "" || p.value == "" {
			continue
		}
		value, err := k.convert(p.value)
		if err != nil {
			return "", fmt.Errorf("%w: %s: %w", registry.ErrConnectionString, p.key, err)
		}
		if _, again := values[k.name]; !again {
			order = append(order, k.name)
		}
		values[k.name] = value
	}
	if values["host"] == "" {
		return "", fmt.Errorf("%w: it names no Host", registry.ErrConnectionString)
	}
	var b strings.Builder
	for _, name := range order {
		fmt.Fprintf(&b, "%s='%s' ", name, strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(values[name]))
	}
	return b.String(), nil
}

// suggestKey names what may have been meant, if it is close: what is not may be half a password.
func suggestKey(key string) string {
	return catalog.Suggest(key, []string{
		"Host", "Port", "Database", "Username", "Password", "SSL Mode", "Root Certificate", "Maximum Pool Size",
		"Minimum Pool Size", "Timeout", "Command Timeout", "Application Name",
	})
}
