package main

import (
	"net/http"

	"github.com/honua-io/honua-gitops/api/webhook"
)

// webhook answers /webhooks/git; nil where no secret is configured.
func (a *app) webhook() (http.Handler, error) {
	configured := a.config.GitOps.Webhook
	if configured.Secret == "" {
		return nil, nil
	}
	return webhook.New(webhook.Config{
		Secret: configured.Secret.Expand, Provider: configured.Provider, Proposer: callers{a.cluster},
		Branches: a.watchedBranches, Logger: a.component("webhook"), Observe: a.metrics.ObserveWebhook,
	})
}

// watchedBranches are those of the replicated settings, which may be newer than this node's file.
func (a *app) watchedBranches() []string {
	settings := a.cluster.Store().State().Settings()
	if settings == nil {
		return nil
	}
	var branches []string
	for _, e := range settings.Environments {
		branches = append(branches, e.Branch)
	}
	return branches
}
