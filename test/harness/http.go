//go:build unix

package harness

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// requestWithin bounds one HTTP request.
const requestWithin = 5 * time.Second

// Response is the answer to an HTTP request.
type Response struct {
	Code   int
	Header http.Header
	Body   []byte
}

// Digest is the content that answered.
func (r Response) Digest() string { return r.Header.Get("Honua-Digest") }

// Decode reads the body as JSON.
func (r Response) Decode(into any) error {
	if err := json.Unmarshal(r.Body, into); err != nil {
		return fmt.Errorf("%w in %.200s", err, r.Body)
	}
	return nil
}

// Get asks the node over HTTP.
func (n *Node) Get(ctx context.Context, path string) (Response, error) {
	asker, scheme := n.httpClient()
	return get(ctx, asker, scheme+n.HTTP+path)
}

// Get makes one HTTP request over a connection of its own.
func Get(ctx context.Context, url string) (Response, error) { return get(ctx, http.DefaultClient, url) }

func get(ctx context.Context, asker *http.Client, url string) (Response, error) {
	ctx, cancel := context.WithTimeout(ctx, requestWithin)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return Response{}, err
	}
	request.Close = true
	answer, err := asker.Do(request)
	if err != nil {
		return Response{}, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return Response{Code: answer.StatusCode, Header: answer.Header, Body: body}, err
}

// Collections are the ids of the collections that the node serves of an environment.
func (n *Node) Collections(ctx context.Context, environment string) ([]string, error) {
	r, err := n.Get(ctx, "/environments/"+environment+"/ogc/collections")
	if err != nil {
		return nil, err
	}
	if r.Code != http.StatusOK {
		return nil, fmt.Errorf("%s answers %d: %s", n.ID, r.Code, r.Body)
	}
	var document struct {
		Collections []struct {
			ID string `json:"id"`
		} `json:"collections"`
	}
	if err := r.Decode(&document); err != nil {
		return nil, err
	}
	ids := []string{}
	for _, c := range document.Collections {
		ids = append(ids, c.ID)
	}
	return ids, nil
}

// GitOpsHealth is the status of /health/gitops.
func (n *Node) GitOpsHealth(ctx context.Context) (string, error) {
	r, err := n.Get(ctx, "/health/gitops")
	if err != nil {
		return "", err
	}
	var document struct {
		Status string `json:"status"`
	}
	return document.Status, r.Decode(&document)
}
