import * as $protobuf from "protobufjs/minimal.js";
import Long = require("long");

/** Namespace turbotls. */
export namespace turbotls {

    /** Namespace v1. */
    namespace v1 {

        /** Side enum. */
        enum Side {

            /** SIDE_UNSPECIFIED value */
            SIDE_UNSPECIFIED = 0,

            /** SIDE_CLIENT value */
            SIDE_CLIENT = 1,

            /** SIDE_SERVER value */
            SIDE_SERVER = 2
        }

        /**
         * Properties of a Datagram.
         * @deprecated Use turbotls.v1.Datagram.$Properties instead.
         */
        interface IDatagram extends turbotls.v1.Datagram.$Properties {
        }

        /** Represents a Datagram. */
        class Datagram {

            /**
             * Constructs a new Datagram.
             * @param [properties] Properties to set
             */
            constructor(properties?: turbotls.v1.Datagram.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Datagram connectionId. */
            connectionId: Uint8Array;

            /** Datagram side. */
            side: turbotls.v1.Side;

            /** Datagram sequence. */
            sequence: number;

            /** Datagram acknowledged. */
            acknowledged: number;

            /** Datagram payload. */
            payload: Uint8Array;

            /** Datagram padding. */
            padding: Uint8Array;

            /** Datagram instance. */
            instance: Uint8Array;

            /** Datagram lifetimeMs. */
            lifetimeMs: number;

            /** Datagram remaining. */
            remaining: number;

            /** Datagram check. */
            check: Uint8Array;

            /**
             * Creates a new Datagram instance using the specified properties.
             * @param [properties] Properties to set
             * @returns Datagram instance
             */
            static create(properties: turbotls.v1.Datagram.$Shape): turbotls.v1.Datagram & turbotls.v1.Datagram.$Shape;
            static create(properties?: turbotls.v1.Datagram.$Properties): turbotls.v1.Datagram;

            /**
             * Encodes the specified Datagram message. Does not implicitly {@link turbotls.v1.Datagram.verify|verify} messages.
             * @param message Datagram message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: turbotls.v1.Datagram.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Datagram message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {turbotls.v1.Datagram & turbotls.v1.Datagram.$Shape} Datagram
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): turbotls.v1.Datagram & turbotls.v1.Datagram.$Shape;
        }

        namespace Datagram {

            /** Properties of a Datagram. */
            interface $Properties {

                /** Datagram connectionId */
                connectionId?: (Uint8Array|null);

                /** Datagram side */
                side?: (turbotls.v1.Side|null);

                /** Datagram sequence */
                sequence?: (number|null);

                /** Datagram acknowledged */
                acknowledged?: (number|null);

                /** Datagram payload */
                payload?: (Uint8Array|null);

                /** Datagram padding */
                padding?: (Uint8Array|null);

                /** Datagram instance */
                instance?: (Uint8Array|null);

                /** Datagram lifetimeMs */
                lifetimeMs?: (number|null);

                /** Datagram remaining */
                remaining?: (number|null);

                /** Datagram check */
                check?: (Uint8Array|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a Datagram. */
            type $Shape = turbotls.v1.Datagram.$Properties;
        }

        /**
         * Properties of a Tombstone.
         * @deprecated Use turbotls.v1.Tombstone.$Properties instead.
         */
        interface ITombstone extends turbotls.v1.Tombstone.$Properties {
        }

        /** Represents a Tombstone. */
        class Tombstone {

            /**
             * Constructs a new Tombstone.
             * @param [properties] Properties to set
             */
            constructor(properties?: turbotls.v1.Tombstone.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Tombstone secret. */
            secret: Uint8Array;

            /** Tombstone instance. */
            instance: Uint8Array;

            /** Tombstone serverSequence. */
            serverSequence: number;

            /** Tombstone clientSequence. */
            clientSequence: number;

            /**
             * Creates a new Tombstone instance using the specified properties.
             * @param [properties] Properties to set
             * @returns Tombstone instance
             */
            static create(properties: turbotls.v1.Tombstone.$Shape): turbotls.v1.Tombstone & turbotls.v1.Tombstone.$Shape;
            static create(properties?: turbotls.v1.Tombstone.$Properties): turbotls.v1.Tombstone;

            /**
             * Encodes the specified Tombstone message. Does not implicitly {@link turbotls.v1.Tombstone.verify|verify} messages.
             * @param message Tombstone message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: turbotls.v1.Tombstone.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Tombstone message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {turbotls.v1.Tombstone & turbotls.v1.Tombstone.$Shape} Tombstone
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): turbotls.v1.Tombstone & turbotls.v1.Tombstone.$Shape;
        }

        namespace Tombstone {

            /** Properties of a Tombstone. */
            interface $Properties {

                /** Tombstone secret */
                secret?: (Uint8Array|null);

                /** Tombstone instance */
                instance?: (Uint8Array|null);

                /** Tombstone serverSequence */
                serverSequence?: (number|null);

                /** Tombstone clientSequence */
                clientSequence?: (number|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a Tombstone. */
            type $Shape = turbotls.v1.Tombstone.$Properties;
        }

        /**
         * Properties of a Reply.
         * @deprecated Use turbotls.v1.Reply.$Properties instead.
         */
        interface IReply extends turbotls.v1.Reply.$Properties {
        }

        /** Represents a Reply. */
        class Reply {

            /**
             * Constructs a new Reply.
             * @param [properties] Properties to set
             */
            constructor(properties?: turbotls.v1.Reply.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Reply status. */
            status: turbotls.v1.Reply.Status;

            /** Reply reason. */
            reason: string;

            /**
             * Creates a new Reply instance using the specified properties.
             * @param [properties] Properties to set
             * @returns Reply instance
             */
            static create(properties: turbotls.v1.Reply.$Shape): turbotls.v1.Reply & turbotls.v1.Reply.$Shape;
            static create(properties?: turbotls.v1.Reply.$Properties): turbotls.v1.Reply;

            /**
             * Encodes the specified Reply message. Does not implicitly {@link turbotls.v1.Reply.verify|verify} messages.
             * @param message Reply message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: turbotls.v1.Reply.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Reply message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {turbotls.v1.Reply & turbotls.v1.Reply.$Shape} Reply
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): turbotls.v1.Reply & turbotls.v1.Reply.$Shape;
        }

        namespace Reply {

            /** Properties of a Reply. */
            interface $Properties {

                /** Reply status */
                status?: (turbotls.v1.Reply.Status|null);

                /** Reply reason */
                reason?: (string|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a Reply. */
            type $Shape = turbotls.v1.Reply.$Properties;

            /** Status enum. */
            enum Status {

                /** STATUS_UNSPECIFIED value */
                STATUS_UNSPECIFIED = 0,

                /** ACCEPTED value */
                ACCEPTED = 1,

                /** REJECTED value */
                REJECTED = 2
            }
        }

        /** HandshakeState enum. */
        enum HandshakeState {

            /** HANDSHAKE_STATE_UNSPECIFIED value */
            HANDSHAKE_STATE_UNSPECIFIED = 0,

            /** RACING value */
            RACING = 1,

            /** GRACE value */
            GRACE = 2,

            /** CLAIMING value */
            CLAIMING = 3,

            /** BOUND value */
            BOUND = 4,

            /** PLAIN value */
            PLAIN = 5,

            /** CLOSED value */
            CLOSED = 6,

            /** FAILED value */
            FAILED = 7
        }
    }
}
