package admin

import (
	"encoding/json"

	"github.com/honua-io/honua-gitops/fsm"
	pb "github.com/honua-io/honua-gitops/proto/honua/gitops/v1"
	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/content"
)

// configuration is what the active content of an environment comes to, with where each value was said; nil if nothing
// is active or its content is not kept.
func (c *core) configuration(state *fsm.State, e *fsm.Environment) *pb.Configuration {
	if e.Active == nil {
		return nil
	}
	stored := state.Bundle(e.Active.Digest)
	if stored == nil {
		return nil
	}
	opened, err := content.Unpack(stored.Compressed, stored.RawSize)
	if err != nil {
		c.Logger.Error("the active content cannot be read", "environment", e.Name, "digest", e.Active.Digest, "error", err)
		return nil
	}
	return configurationMessage(e.Active.Digest, catalog.Compose(e.Name, opened.Files))
}

func configurationMessage(digest string, composed catalog.Composition) *pb.Configuration {
	m := &pb.Configuration{Digest: digest}
	for _, s := range composed.Settings {
		value, err := json.Marshal(s.Value)
		if err != nil {
			continue // not reached: the values come from JSON
		}
		m.Settings = append(m.Settings, &pb.ConfigurationSetting{
			Name: s.Name, ValueJson: string(value), Origin: string(s.Origin), Source: s.Source.String(), Overrides: s.Overrides.String(),
		})
	}
	for _, s := range composed.DataSources {
		m.DataSources = append(m.DataSources, &pb.ConfigurationDataSource{
			Id: s.ID, Type: s.Type, Origin: string(s.Origin), Source: s.Source.String(), Overrides: s.Overrides.String(),
		})
	}
	return m
}
