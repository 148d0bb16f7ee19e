// Package generated holds packages that mambac has made, checked in to be read
// and tested: tiny is the one to open first. It sees nothing of ours; its tests
// use them as programs would, and nothing else imports them.
package generated
