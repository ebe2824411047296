package catalog

import (
	"encoding/json"
	"time"
)

// Settings are an environment's server settings: appsettings.json over the settings of shared-config.json over
// DefaultSettings.
type Settings struct {
	Ogc             OgcSettings
	Cors            CorsSettings
	ResponseCaching CacheSettings
	Extra           map[string]json.RawMessage // sections this version does not know, as written
	// Sources is where a setting was said, by its name ("Ogc.MaxLimit"). What is not in it has its default.
	Sources map[string]Position
	// Overridden is where shared-config.json says something that appsettings.json overrides.
	Overridden map[string]Position
}

// OgcSettings bound the pages of OGC API Features.
type OgcSettings struct {
	DefaultLimit int // features in a page when the request names no limit; 1 to MaxLimit; default 10
	MaxLimit     int // the most a request gets; 1 to 1,000,000; default 10,000
	Extra        map[string]json.RawMessage
}

// CorsSettings say which pages of other origins may read.
type CorsSettings struct {
	Enabled          bool          // default false
	AllowedOrigins   []string      // "*" or scheme://host[:port]; required when Enabled
	AllowedMethods   []string      // default GET, HEAD, OPTIONS
	AllowedHeaders   []string      // default none beyond the safelisted
	ExposedHeaders   []string      // default none
	AllowCredentials bool          // never together with the origin "*"
	MaxAge           time.Duration // how long a preflight is remembered; 0 to 24 hours; default 10 minutes
	Extra            map[string]json.RawMessage
}

// CacheSettings are the caching headers of responses.
type CacheSettings struct {
	Enabled bool          // default false: no Cache-Control: max-age
	MaxAge  time.Duration // 0 to 365 days; default 1 minute
	Public  bool          // public instead of private; default false
	Extra   map[string]json.RawMessage
}

// DefaultSettings are the settings of an environment that says nothing.
func DefaultSettings() Settings {
	return Settings{
		Ogc:             OgcSettings{DefaultLimit: 10, MaxLimit: 10_000},
		Cors:            CorsSettings{AllowedMethods: []string{"GET", "HEAD", "OPTIONS"}, MaxAge: 10 * time.Minute},
		ResponseCaching: CacheSettings{MaxAge: time.Minute},
	}
}
