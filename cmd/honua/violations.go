package main

import (
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"

	"github.com/honua-io/honua-gitops/internal/client"
)

// violations lists what an answer says of single fields, "field: what is wrong", and its message does not.
func violations(failure *client.Error) []string {
	var lines []string
	message := failure.GRPCStatus().Message()
	for _, detail := range failure.GRPCStatus().Details() {
		bad, ok := detail.(*errdetails.BadRequest)
		if !ok {
			continue
		}
		for _, violation := range bad.GetFieldViolations() {
			if !strings.Contains(message, violation.GetField()+" "+violation.GetDescription()) {
				lines = append(lines, violation.GetField()+": "+violation.GetDescription())
			}
		}
	}
	return lines
}
