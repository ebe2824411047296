package main

import (
	"time"

	"github.com/spf13/pflag"

	"github.com/honua-io/honua-gitops/internal/client"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// globalFlags are the flags that every command has.
type globalFlags struct {
	address       string
	ca, cert, key string
	token         string
	output        string
	timeout       time.Duration
}

// Environment variables that stand in for flags.
const (
	envAddress = "HONUA_ADDRESS"
	envCA      = "HONUA_CA"
	envCert    = "HONUA_CERT"
	envKey     = "HONUA_KEY"
	envToken   = "HONUA_TOKEN"
)

func (g *globalFlags) register(flags *pflag.FlagSet, env func(string) string) {
	address := env(envAddress)
	if address == "" {
		address = client.DefaultAddress
	}
	flags.StringVar(&g.address, "address", address, "gRPC addresses of nodes, host:port[,host:port…] ($"+envAddress+")")
	flags.StringVar(&g.ca, "ca", env(envCA), "file with the authorities to trust, PEM ($"+envCA+")")
	flags.StringVar(&g.cert, "cert", env(envCert), "file with the client's certificate, PEM ($"+envCert+")")
	flags.StringVar(&g.key, "key", env(envKey), "file with the certificate's private key, PEM ($"+envKey+")")
	flags.StringVar(&g.token, "token", "", "access token ($"+envToken+", which ps does not show)")
	flags.StringVarP(&g.output, "output", "o", formatTable, "output format: table, wide, json or yaml")
	flags.DurationVar(&g.timeout, "timeout", 0, "give up after this time (default 10s for a call, 5m for an outcome)")
}

// The times after which a command gives up unless --timeout says otherwise.
const (
	callTimeout = 10 * time.Second
	waitTimeout = 5 * time.Minute
)

// forCall is how long one call may take.
func (g *globalFlags) forCall() time.Duration {
	if g.timeout > 0 && g.timeout < callTimeout {
		return g.timeout
	}
	return callTimeout
}

// forOutcome is how long a command waits for what it started.
func (g *globalFlags) forOutcome() time.Duration {
	if g.timeout > 0 {
		return g.timeout
	}
	return waitTimeout
}

// readFlags are the flags of what reads.
type readFlags struct{ stale bool }

func (r *readFlags) register(flags *pflag.FlagSet) {
	flags.BoolVar(&r.stale, "stale", false, "answer with what the node knows, without asking the leader")
}

func (r readFlags) consistency() pb.Consistency {
	if r.stale {
		return pb.Consistency_CONSISTENCY_STALE
	}
	return pb.Consistency_CONSISTENCY_LINEARIZABLE
}

// writeFlags are the flags of what changes something.
type writeFlags struct {
	requestID string
	approver  string
	reason    string
	async     bool
	exitCode  bool
}

// register adds the flags that every change has.
func (w *writeFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&w.requestID, "request-id", "", "repeat a change whose outcome was unknown, under its id")
	flags.StringVar(&w.approver, "approver", "", "who acts; must be the credential's identity where there is one")
}

// waits adds the flags of a change whose outcome takes time.
func (w *writeFlags) waits(flags *pflag.FlagSet) {
	flags.BoolVar(&w.async, "async", false, "return as soon as the change is accepted, do not wait for its outcome")
	flags.BoolVar(&w.exitCode, "exit-code", false, "exit with 2 if approval is pending")
}

// id is the request id of this change.
func (w *writeFlags) id() string {
	if w.requestID == "" {
		w.requestID = client.NewRequestID(time.Now())
	}
	return w.requestID
}
