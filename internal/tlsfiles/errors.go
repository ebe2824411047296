package tlsfiles

import "errors"

var (
	// ErrFile is wrapped by errors about a file that is missing, unreadable or not what it should be.
	ErrFile = errors.New("TLS file")
	// ErrKeyMode means that others than the owner may read a private key.
	ErrKeyMode = errors.New("private key is readable by others")
	// ErrExpired means that a certificate is not valid at this time.
	ErrExpired = errors.New("certificate is not valid now")
	// ErrRole means that a peer's certificate does not give it the role that it claims.
	ErrRole = errors.New("certificate does not have the role")
	// ErrIssue is wrapped by errors of Authority.
	ErrIssue = errors.New("cannot issue a certificate")
)
