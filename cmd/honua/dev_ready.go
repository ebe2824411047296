package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

const (
	// readyWithin is how long a cluster may take to become ready.
	readyWithin = 2 * time.Minute
	// askReadyEvery is how often a node is asked.
	askReadyEvery = 100 * time.Millisecond
)

// awaitReady waits until every node serves, and says when each of them does.
func (c *devCluster) awaitReady(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	began := time.Now()
	reasons := make([]string, len(c.layout.nodes))
	var waiting sync.WaitGroup
	for i, node := range c.layout.nodes {
		waiting.Go(func() {
			if reasons[i] = untilReady(bounded, node); reasons[i] == "" {
				c.say("%s is ready after %s", node.id, elapsed(time.Since(began)))
			}
		})
	}
	waiting.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	for i, reason := range reasons {
		if reason != "" {
			node := c.layout.nodes[i]
			return fmt.Errorf("%s is not ready after %s: %s\n%s", node.id, readyWithin, reason, logTail(node))
		}
	}
	return nil
}

// untilReady asks a node until it is ready; if the context ends before, it returns the last reason why it is not.
func untilReady(ctx context.Context, node devNode) string {
	reason := "it does not answer"
	for {
		attempt, cancel := context.WithTimeout(ctx, time.Second)
		body, err := getHealth(attempt, nil, node.http, "ready")
		cancel()
		switch {
		case err == nil:
			return ""
		case errors.Is(err, errUnhealthy):
			reason = notReadyReasons(body)
		case ctx.Err() == nil:
			reason = err.Error()
		}
		if !rest(ctx, askReadyEvery) {
			return reason
		}
	}
}

func notReadyReasons(body map[string]any) string {
	var texts []string
	list, _ := body["reasons"].([]any)
	for _, reason := range list {
		texts = append(texts, fmt.Sprint(reason))
	}
	return orElse(strings.Join(texts, "; "), "it says that it is not ready")
}
