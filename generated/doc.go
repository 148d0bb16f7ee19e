// Package generated holds packages that mambac has made, checked in to be read
// and tested: tiny is the one to open first. It sees nothing of ours, and
// nothing imports it.
package generated
