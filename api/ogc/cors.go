package ogc

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
)

// cors is an environment's settings for pages of other origins, ready to be written.
type cors struct {
	settings catalog.CorsSettings
	any      bool
	methods  string
	headers  string
	exposed  string
	maxAge   string
}

func newCORS(s catalog.CorsSettings) cors {
	return cors{
		settings: s, any: slices.Contains(s.AllowedOrigins, "*") && !s.AllowCredentials,
		methods: strings.Join(s.AllowedMethods, ", "), headers: strings.Join(s.AllowedHeaders, ", "),
		exposed: strings.Join(s.ExposedHeaders, ", "), maxAge: strconv.Itoa(int(s.MaxAge / time.Second)),
	}
}

// varies reports whether responses depend on who asks.
func (c *cors) varies() bool { return c.settings.Enabled && !c.any }

// apply writes the headers that let the asking origin read the response, if it may.
func (c *cors) apply(header http.Header, r *http.Request) {
	origin := r.Header.Get("Origin")
	if !c.settings.Enabled || origin == "" {
		return
	}
	switch {
	case c.any:
		header.Set("Access-Control-Allow-Origin", "*")
	case slices.ContainsFunc(c.settings.AllowedOrigins, func(o string) bool { return strings.EqualFold(o, origin) }):
		header.Set("Access-Control-Allow-Origin", origin)
	default:
		return
	}
	if c.settings.AllowCredentials {
		header.Set("Access-Control-Allow-Credentials", "true")
	}
	if c.exposed != "" {
		header.Set("Access-Control-Expose-Headers", c.exposed)
	}
	if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
		header.Set("Access-Control-Allow-Methods", c.methods)
		if c.headers != "" {
			header.Set("Access-Control-Allow-Headers", c.headers)
		}
		header.Set("Access-Control-Max-Age", c.maxAge)
	}
}
