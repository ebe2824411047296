package config

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// Config is one node's configuration. The zero value is not valid; Load and Parse set every default.
type Config struct {
	GitOps   GitOps
	Cluster  Cluster
	API      API
	Auth     Auth
	Backup   Backup
	Registry Registry
	Serilog  Serilog
	Logging  Logging
	// Warnings are what was configured and has no effect. They keep nothing from starting.
	Warnings []Problem

	sources map[string]string
	values  []heldValue
	file    string
}

// Registry says where data files live.
type Registry struct {
	// DataDirectory holds GeoJSON and GeoPackage files; absolute.
	DataDirectory string
	// ProbeInterval is how often what is served is checked against its data sources.
	ProbeInterval time.Duration
}

// reserved are sections that operators may expect to work and that this version does not have.
var reserved = []string{"Notifications"}

// sections are the names whose environment variables are read.
var sections = []string{"GitOps", "Cluster", "Api", "Registry", "Serilog", "Logging", "Auth", "Backup", "Notifications"}

// MaxFileBytes bounds a configuration file.
const MaxFileBytes = 1 << 20

// Load reads the file at path, sets the variables of environ ("NAME=value", as
// from os.Environ) over it, fills in defaults and validates. Content errors are
// Problems, all of them at once, and wrap ErrInvalid; a file that cannot be read
// is an *fs.PathError.
func Load(path string, environ []string) (*Config, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	defer file.Close() //nolint:errcheck // it was only read
	data, err := io.ReadAll(io.LimitReader(file, MaxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	if len(data) > MaxFileBytes {
		return nil, Problems{{Source: path, Message: fmt.Sprintf("has more than %d bytes", MaxFileBytes)}}
	}
	return Parse(path, data, environ)
}

// Parse is Load for a file that was read already; name is what messages call it.
func Parse(name string, data []byte, environ []string) (*Config, error) {
	root, problems := readTree(name, data)
	overlay(root, environ, sections)
	c := &Config{file: name}
	p := &pass{sources: map[string]string{}}
	c.describe(&table{pass: p, node: root})
	c.sources, c.values = p.sources, p.values
	problems = append(problems, p.problems...)
	problems = append(problems, c.derive()...)
	// What is missing is only worth saying of a file that could be read, and not of a key already complained about.
	for _, found := range c.check() {
		if !mentions(problems, found.Key) {
			problems = append(problems, found)
		}
	}
	c.warn(root)
	if err := problems.orNil(); err != nil {
		return nil, err
	}
	return c, nil
}

// warn collects what is configured and has no effect.
func (c *Config) warn(root *node) {
	for _, section := range reserved {
		if found := root.child(section); found != nil {
			c.Warnings = append(c.Warnings, Problem{
				Source: found.value.source, Key: section, Message: "this version has no such section; it has no effect",
			})
		}
	}
	if hook := c.GitOps.Webhook; hook.Provider != "" && hook.Secret == "" {
		c.Warnings = append(c.Warnings, c.problem("GitOps.Webhook.Provider", "has no effect without GitOps.Webhook.Secret: webhooks are off"))
	}
	c.warnVerifications()
	environments := c.GitOps.EnvironmentList()
	for _, name := range slices.Sorted(maps.Keys(c.GitOps.DeploymentPolicies)) {
		if !slices.ContainsFunc(environments, func(e Environment) bool { return strings.EqualFold(e.Name, name) }) {
			c.Warnings = append(c.Warnings, c.problem("GitOps.DeploymentPolicies."+name, "no such environment is configured; it has no effect"))
		}
	}
}

func mentions(problems Problems, key string) bool {
	for _, p := range problems {
		if p.Key == "" || strings.EqualFold(p.Key, key) {
			return true
		}
	}
	return false
}

// Validate reports everything that cannot work together, as Problems. Load and Parse have called it.
func (c *Config) Validate() error { return c.check().orNil() }

func (c *Config) describe(t *table) {
	strict := func(name string, describe func(*table)) {
		t.strict = true
		t.section(name, describe)
		t.strict = false
	}
	strict("GitOps", c.GitOps.describe)
	strict("Cluster", c.Cluster.describe)
	strict("Api", c.API.describe)
	strict("Auth", c.Auth.describe)
	strict("Backup", c.Backup.describe)
	t.section("Registry", func(r *table) {
		one(r, "DataDirectory", plain(), &c.Registry.DataDirectory, derived("<Cluster.DataDirectory>/data"),
			"Where GeoJSON and GeoPackage files live. Data sources never reach outside it.")
		one(r, "ProbeInterval", span(), &c.Registry.ProbeInterval, is("00:00:10"),
			"How often what is served is checked against its data sources; what has broken degrades the environment's health.")
	})
	t.section("Serilog", c.Serilog.describe)
	t.section("Logging", c.Logging.describe)
}

// problem makes a problem that says where key came from.
func (c *Config) problem(key, format string, args ...any) Problem {
	source := c.sources[strings.ToLower(key)]
	if source == "" {
		source = c.file
	}
	return Problem{Source: source, Key: key, Message: fmt.Sprintf(format, args...)}
}
