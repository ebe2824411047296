package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/honua-io/honua-gitops/internal/client"
)

// maxHealthBody bounds what is read of a health answer.
const maxHealthBody = 1 << 20

func newHealthCommand(s *session) *cobra.Command {
	var address string
	command := &cobra.Command{
		Use:       "health [live|ready|gitops]",
		Short:     "Ask the local node whether it is well; for container health checks",
		Long:      "Ask the local node over HTTP whether it is well. Exits with 0 if it is, with 1 if it is not or does not answer.",
		Example:   "  honua health ready\n  honua health gitops --http-address 127.0.0.1:5001 -o json\n  honua health --ca ca.pem",
		Args:      cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"live", "ready", "gitops"},
		RunE: func(cmd *cobra.Command, args []string) error {
			check := "ready"
			if len(args) == 1 {
				check = args[0]
			}
			return s.health(cmd.Context(), address, check)
		},
	}
	command.Flags().StringVar(&address, "http-address", "127.0.0.1:5000", "the node's HTTP address")
	return command
}

// answerOfTLS is what net/http's server says to a request that comes without TLS to a port that has it.
const answerOfTLS = "HTTP request to an HTTPS server"

// errUnhealthy: the node answered, and is not well.
var errUnhealthy = errors.New("unhealthy")

func (s *session) health(ctx context.Context, address, check string) error {
	if err := s.checkFormat(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.flags.forCall())
	defer cancel()
	secured, err := client.LoadTLS(s.flags.ca, "", "")
	if err != nil {
		return err
	}
	body, err := getHealth(ctx, secured, address, check)
	if err != nil && !errors.Is(err, errUnhealthy) {
		return err
	}
	printed := s.print(body, func(w io.Writer) error { return healthLines(w, check, body) })
	if err != nil {
		return errSaid
	}
	return printed
}

// getHealth asks one node. Its error wraps errUnhealthy if the node says that it is not well.
// With TLS, an address without a scheme is https.
func getHealth(ctx context.Context, secured *tls.Config, address, check string) (map[string]any, error) {
	scheme, asker := "http://", http.DefaultClient
	if secured != nil {
		transport := &http.Transport{TLSClientConfig: secured}
		defer transport.CloseIdleConnections()
		scheme, asker = "https://", &http.Client{Transport: transport}
	}
	if !strings.Contains(address, "://") {
		if _, _, err := net.SplitHostPort(address); err != nil {
			return nil, fmt.Errorf("--http-address %q: write host:port, such as 127.0.0.1:5000", address)
		}
		address = scheme + address
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(address, "/")+"/health/"+check, nil)
	if err != nil {
		return nil, fmt.Errorf("--http-address: %w", err)
	}
	response, err := asker.Do(request)
	if errors.Is(err, http.ErrSchemeMismatch) {
		return nil, fmt.Errorf("the node has no TLS at %s: write --http-address http://%[1]s", request.URL.Host)
	}
	if err != nil {
		return nil, fmt.Errorf("the node does not answer: %w; is it running there? --http-address names another place", err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxHealthBody))
	if err != nil {
		return nil, fmt.Errorf("the answer of %s breaks off: %w", request.URL, err)
	}
	var body map[string]any
	if err := json.Unmarshal(answer, &body); err != nil {
		if strings.Contains(string(answer), answerOfTLS) {
			return nil, fmt.Errorf("the node at %s has TLS: write --http-address https://%[1]s, and name its authority with --ca", request.URL.Host)
		}
		return nil, fmt.Errorf("%s answers %s, and no JSON", request.URL, response.Status)
	}
	if response.StatusCode != http.StatusOK {
		return body, errUnhealthy
	}
	return body, nil
}

func healthLines(w io.Writer, check string, body map[string]any) error {
	if _, err := fmt.Fprintf(w, "%s: %v\n", check, body["status"]); err != nil {
		return err
	}
	noticeLines(w, body)
	components, _ := body["components"].(map[string]any)
	t := newTable(w, "COMPONENT", "STATUS")
	for _, name := range sortedKeys(components) {
		t.row(name, componentText(components[name]))
	}
	if len(components) == 0 {
		return nil
	}
	return t.flush()
}

// noticeLines says what is wrong and what to do: why the node is not ready, what else is wrong with it, and why what it
// serves may be out of date. What several environments have in common is said once.
func noticeLines(w io.Writer, body map[string]any) {
	lists := []any{body["reasons"], body["warnings"]}
	environments, _ := body["environments"].([]any)
	for _, e := range environments {
		if environment, ok := e.(map[string]any); ok {
			lists = append(lists, environment["stale"], environment["waiting"])
		}
	}
	said := map[string]bool{}
	for _, list := range lists {
		notices, _ := list.([]any)
		for _, n := range notices {
			notice, _ := n.(map[string]any)
			line := fmt.Sprintf("! %v: %v", notice["message"], notice["remedy"])
			if !said[line] {
				said[line] = true
				fmt.Fprintln(w, safe(line))
			}
		}
	}
}

// componentText is a component's status: a word, or an object with a status and more.
func componentText(component any) string {
	object, ok := component.(map[string]any)
	if !ok {
		return fmt.Sprint(component)
	}
	text := fmt.Sprint(object["status"])
	for _, key := range []string{"description", "message"} {
		if more, ok := object[key].(string); ok && more != "" {
			text += ": " + safe(more)
		}
	}
	return text
}
