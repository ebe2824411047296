package config

// API is where the node answers.
type API struct {
	// GRPCAddress and HTTPAddress are listened on, "host:port".
	GRPCAddress string
	HTTPAddress string
	// MetricsAddress is HTTPAddress unless set.
	MetricsAddress string
	TLS            TLS
}

func (a *API) describe(t *table) {
	one(t, "GrpcAddress", address(), &a.GRPCAddress, is(":7700"), "Address of the admin API.")
	one(t, "HttpAddress", address(), &a.HTTPAddress, is(":5000"), "Address of OGC API Features, health and webhooks.")
	one(t, "MetricsAddress", address(), &a.MetricsAddress, derived("Api.HttpAddress"), "Address of /metrics.")
	t.section("Tls", func(t *table) { a.TLS.describe(t, "Without it the gRPC port uses Cluster.Tls, and HTTP has no TLS.") })
}
