// Command program continues its argument.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"example.com/program/gomamba"
)

func main() {
	model, err := gomamba.Open()
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	for token, err := range model.NewSession().Generate(context.Background(), os.Args[1]) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Print(token.Text)
	}
}
