// Package app is a program's own: its models lie beside it.
package app

//go:generate go tool mambac generate ../checkpoints/go-mamba-5m --package gomamba --dir ../gomamba
//go:generate go tool mambac generate ../checkpoints/small --package small --dir ../small --payload ../small.payload
