// Command gitserver serves the repositories below a folder over HTTP, with git's own http-backend: the Git server of
// the container test.
package main

import (
	"fmt"
	"net/http"
	"net/http/cgi" //nolint:gosec // the flaw that it warns of ended with Go 1.6.3
	"os"
	"time"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: gitserver ADDRESS GIT-HTTP-BACKEND ROOT")
		os.Exit(1)
	}
	server := &http.Server{
		Addr: os.Args[1], ReadHeaderTimeout: 10 * time.Second,
		Handler: &cgi.Handler{
			Path: os.Args[2], Root: "/",
			Env: []string{"GIT_PROJECT_ROOT=" + os.Args[3], "GIT_HTTP_EXPORT_ALL=1", "PATH=/usr/bin:/usr/lib/git-core",
				"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*"},
		},
	}
	if err := server.ListenAndServe(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
