//go:build system

package postgis

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/registry"
)

// attacks are the classes of what is tried to get SQL to say something else.
func attacks() map[string]string {
	return map[string]string{
		"statement":         `x; DROP TABLE public.cities; --`,
		"quoted identifier": `x"; DROP TABLE public.cities; --`,
		"quoted literal":    `x'; DROP TABLE public.cities; --`,
		"always true":       `x' OR '1'='1`,
		"always true, name": `name" = "name" OR "name`,
		"union":             `x' UNION SELECT usename, passwd FROM pg_shadow --`,
		"union, name":       `cities" UNION SELECT * FROM "pg_shadow`,
		"comment":           `cities/**/WHERE/**/1=1`,
		"line comment":      `cities--`,
		"placeholder":       `$1`,
		"backslash":         `\'; DROP TABLE public.cities; --`,
		"dollar quote":      `$$; DROP TABLE public.cities; $$`,
		"NUL":               "cities\x00; DROP TABLE public.cities",
		"half a rune":       "cities\xbf\x27; DROP TABLE public.cities; --",
		"full-width quote":  "cities＇; DROP TABLE public.cities; --",
		"function":          `pg_sleep(10)`,
		"large number":      `1e400`,
		"expression":        `1+1`,
		"cast":              `geom::text`,
		"unicode escape":    `U&"\0063ities"`,
		"another schema":    `pg_catalog.pg_shadow`,
		"three parts":       `postgres.public.cities`,
		"an overlong name":  strings.Repeat("a", 64),
		"line break":        "cities\n; DROP TABLE public.cities",
	}
}

// checkInjection tries every attack in every place from which something reaches SQL: names and numbers of the
// configuration past its own checks, and names and values of requests. Nothing may be read that is not the layer's,
// and the table must be there afterwards, as it was.
func checkInjection(t *testing.T, d *database, source registry.Source) {
	places := map[string]func(attack string) (*catalog.Layer, registry.Query){
		"table": func(a string) (*catalog.Layer, registry.Query) {
			l := citiesLayer()
			l.Table = a
			return l, registry.Query{}
		},
		"schema": func(a string) (*catalog.Layer, registry.Query) {
			l := citiesLayer()
			l.Table = a + ".cities"
			return l, registry.Query{}
		},
		"table in schema": func(a string) (*catalog.Layer, registry.Query) {
			l := citiesLayer()
			l.Table = "public." + a
			return l, registry.Query{}
		},
		"geometryColumn": func(a string) (*catalog.Layer, registry.Query) {
			l := citiesLayer()
			l.GeometryColumn = a
			return l, registry.Query{}
		},
		"idColumn": func(a string) (*catalog.Layer, registry.Query) {
			l := citiesLayer()
			l.IDColumn = a
			return l, registry.Query{}
		},
		"geometryType": func(a string) (*catalog.Layer, registry.Query) {
			l := citiesLayer()
			l.GeometryType = a
			return l, registry.Query{}
		},
		"property": func(a string) (*catalog.Layer, registry.Query) {
			return citiesLayer(catalog.Property{Name: a, Type: "string"}), registry.Query{}
		},
		"property type": func(a string) (*catalog.Layer, registry.Query) {
			return citiesLayer(catalog.Property{Name: "name", Type: a}), registry.Query{}
		},
		"filter name": func(a string) (*catalog.Layer, registry.Query) {
			return citiesLayer(allProperties()...), registry.Query{Filters: []registry.Filter{{Property: a, Value: "x"}}}
		},
		"datetime property": func(a string) (*catalog.Layer, registry.Query) {
			return citiesLayer(allProperties()...), registry.Query{Time: &registry.Time{Property: a, From: at("2000-01-01T00:00:00Z")}}
		},
	}
	for _, p := range allProperties() {
		places["filter value of "+p.Name] = func(a string) (*catalog.Layer, registry.Query) {
			return citiesLayer(allProperties()...), registry.Query{Filters: []registry.Filter{{Property: p.Name, Value: a}}}
		}
	}
	for place, make := range places {
		for class, attack := range attacks() {
			t.Run(place+"/"+class, func(t *testing.T) {
				layer, q := make(attack)
				if place == "geometryType" { // it never gets into SQL: it must be refused, not run
					refuseLayer(t, source, layer)
					return
				}
				features, _, err := tryAsk(t.Context(), source, layer, q)
				if len(features) > 0 || err != nil && !errors.Is(err, registry.ErrUnavailable) {
					t.Errorf("%q: %v, %v", attack, features, err)
				}
				if strings.Contains(fmt.Sprint(err), "syntax error") {
					t.Errorf("%q reached the parser: %v", attack, err)
				}
				if len(q.Filters) == 0 && q.Time == nil {
					refuseLayer(t, source, layer)
				}
			})
		}
	}
	for class, attack := range attacks() {
		for _, column := range []string{"", "name", "code", "price"} {
			layer := citiesLayer()
			layer.IDColumn = column
			if got, err := source.Get(t.Context(), layer, attack, registry.CRS{}); !errors.Is(err, registry.ErrFeatureNotFound) {
				t.Errorf("id of %q, %s: %s, %v", column, class, got, err)
			}
		}
	}
	if features, page := ask(t, source, citiesLayer(), registry.Query{}); len(features) != 4 || page.Matched != 4 {
		t.Errorf("afterwards: %v, %+v", features, page)
	}
}

func refuseLayer(t *testing.T, source registry.Source, layer *catalog.Layer) {
	t.Helper()
	findings, err := source.Check(t.Context(), layer)
	if len(findings) == 0 && err == nil {
		t.Errorf("the layer passes the checks: %+v", layer)
	}
}
