package view

import (
	"encoding/json"

	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
)

// Configuration is what an environment's files come to together, and where each value was said.
type Configuration struct {
	Digest      string                    `json:"digest"`
	Settings    []ConfigurationSetting    `json:"settings"`
	DataSources []ConfigurationDataSource `json:"dataSources"`
}

// ConfigurationSetting is one setting in force. Origin is environment, shared or default; Source and Overrides are
// file:line:column, Overrides of the weaker word that it replaces.
type ConfigurationSetting struct {
	Name      string          `json:"name"`
	Value     json.RawMessage `json:"value"`
	Origin    string          `json:"origin"`
	Source    string          `json:"source"`
	Overrides string          `json:"overrides"`
}

// ConfigurationDataSource is one data source that layers can name.
type ConfigurationDataSource struct {
	ID        string `json:"id"`
	Type      string `json:"type"`
	Origin    string `json:"origin"`
	Source    string `json:"source"`
	Overrides string `json:"overrides"`
}

// NewConfiguration converts a configuration; nil if there is none.
func NewConfiguration(c *pb.Configuration) *Configuration {
	if c == nil {
		return nil
	}
	return &Configuration{
		Digest: c.GetDigest(),
		Settings: each(c.GetSettings(), func(s *pb.ConfigurationSetting) ConfigurationSetting {
			return ConfigurationSetting{
				Name: s.GetName(), Value: json.RawMessage(s.GetValueJson()), Origin: s.GetOrigin(),
				Source: s.GetSource(), Overrides: s.GetOverrides(),
			}
		}),
		DataSources: each(c.GetDataSources(), func(s *pb.ConfigurationDataSource) ConfigurationDataSource {
			return ConfigurationDataSource{
				ID: s.GetId(), Type: s.GetType(), Origin: s.GetOrigin(), Source: s.GetSource(), Overrides: s.GetOverrides(),
			}
		}),
	}
}
