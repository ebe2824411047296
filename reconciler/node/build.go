package node

import (
	"context"
	"errors"
	"fmt"

	"github.com/honua-io/honua-gitops/fsm"
	"github.com/honua-io/honua-gitops/reconciler/catalog"
	"github.com/honua-io/honua-gitops/reconciler/content"
	"github.com/honua-io/honua-gitops/reconciler/registry"
)

// errNoContent: neither the state nor the disk has a content.
var errNoContent = errors.New("the content is not there")

// modelFromDisk reads a stored content.
func (n *Node) modelFromDisk(environment, digest string) (*catalog.Model, error) {
	encoded, err := n.bundles.get(digest)
	if err != nil {
		return nil, err
	}
	return parse(environment, encoded)
}

// model returns the meaning of a content that the state has, after it is safely
// on this node's disk.
func (n *Node) model(state *fsm.State, environment, digest string) (*catalog.Model, error) {
	if stored := state.Bundle(digest); stored != nil {
		if err := n.store(digest, stored); err != nil {
			return nil, err
		}
	}
	model, err := n.modelFromDisk(environment, digest)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoContent, err)
	}
	return model, nil
}

// store puts a content on disk. If that fails, this node ends.
func (n *Node) store(digest string, content *fsm.Bundle) error {
	err := n.bundles.put(digest, content.Compressed, content.RawSize)
	if errors.Is(err, ErrDisk) {
		select {
		case n.failed <- err:
		default: // it is known already
		}
	}
	return err
}

func parse(environment string, encoded []byte) (*catalog.Model, error) {
	opened, err := content.Decode(encoded)
	if err != nil {
		return nil, err
	}
	model, problems := catalog.Parse(environment, opened.Files)
	if model == nil {
		return nil, problemError(problems)
	}
	return model, nil
}

// build makes a catalog with structural checks alone: at start and on catching
// up an unreachable source must not keep the node from serving.
func (n *Node) build(ctx context.Context, environment, digest, deployment string, model *catalog.Model) (*registry.Catalog, error) {
	built, problems := n.config.Registry.Build(ctx, registry.BuildInput{
		Environment: environment, Digest: digest, ActivationLabel: deployment,
		Model: model, Checks: registry.Structural,
	})
	if built == nil {
		return nil, problemError(problems)
	}
	return built, nil
}

// problemError is the first problem that is an error.
func problemError(problems []catalog.Problem) error {
	for _, p := range problems {
		if p.Severity == catalog.Error {
			return p
		}
	}
	return errNoContent
}

func problemTexts(problems []catalog.Problem) []string {
	var texts []string
	for _, p := range problems {
		if p.Severity == catalog.Error {
			texts = append(texts, p.Error())
		}
	}
	return texts
}
