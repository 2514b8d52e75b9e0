import * as $protobuf from "protobufjs/minimal.js";
import Long = require("long");

/** Namespace turbotls. */
export namespace turbotls {

    /** Namespace worker. */
    namespace worker {

        /** Namespace v1. */
        namespace v1 {

            /**
             * Properties of a Datagram.
             * @deprecated Use turbotls.worker.v1.Datagram.$Properties instead.
             */
            interface IDatagram extends turbotls.worker.v1.Datagram.$Properties {
            }

            /** Represents a Datagram. */
            class Datagram {

                /**
                 * Constructs a new Datagram.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: turbotls.worker.v1.Datagram.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Datagram portId. */
                portId: number;

                /** Datagram payload. */
                payload: Uint8Array;

                /** Datagram address. */
                address: string;

                /** Datagram port. */
                port: number;

                /**
                 * Creates a new Datagram instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns Datagram instance
                 */
                static create(properties: turbotls.worker.v1.Datagram.$Shape): turbotls.worker.v1.Datagram & turbotls.worker.v1.Datagram.$Shape;
                static create(properties?: turbotls.worker.v1.Datagram.$Properties): turbotls.worker.v1.Datagram;

                /**
                 * Encodes the specified Datagram message. Does not implicitly {@link turbotls.worker.v1.Datagram.verify|verify} messages.
                 * @param message Datagram message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: turbotls.worker.v1.Datagram.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Datagram message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {turbotls.worker.v1.Datagram & turbotls.worker.v1.Datagram.$Shape} Datagram
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): turbotls.worker.v1.Datagram & turbotls.worker.v1.Datagram.$Shape;
            }

            namespace Datagram {

                /** Properties of a Datagram. */
                interface $Properties {

                    /** Datagram portId */
                    portId?: (number|null);

                    /** Datagram payload */
                    payload?: (Uint8Array|null);

                    /** Datagram address */
                    address?: (string|null);

                    /** Datagram port */
                    port?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Datagram. */
                type $Shape = turbotls.worker.v1.Datagram.$Properties;
            }

            /**
             * Properties of a ToWorker.
             * @deprecated Use turbotls.worker.v1.ToWorker.$Properties instead.
             */
            interface IToWorker extends turbotls.worker.v1.ToWorker.$Properties {
            }

            /** Represents a ToWorker. */
            class ToWorker {

                /**
                 * Constructs a new ToWorker.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: turbotls.worker.v1.ToWorker.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ToWorker datagrams. */
                datagrams: turbotls.worker.v1.Datagram.$Properties[];

                /** ToWorker connection. */
                connection?: (turbotls.worker.v1.Connection.$Properties|null);

                /** ToWorker listening. */
                listening?: (turbotls.worker.v1.Listening.$Properties|null);

                /** ToWorker drain. */
                drain?: (turbotls.worker.v1.Drain.$Properties|null);

                /** ToWorker welcome. */
                welcome: boolean;

                /** ToWorker served. */
                served: number;

                /** ToWorker told. */
                told?: (Uint8Array|null);

                /**
                 * Creates a new ToWorker instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns ToWorker instance
                 */
                static create(properties: turbotls.worker.v1.ToWorker.$Shape): turbotls.worker.v1.ToWorker & turbotls.worker.v1.ToWorker.$Shape;
                static create(properties?: turbotls.worker.v1.ToWorker.$Properties): turbotls.worker.v1.ToWorker;

                /**
                 * Encodes the specified ToWorker message. Does not implicitly {@link turbotls.worker.v1.ToWorker.verify|verify} messages.
                 * @param message ToWorker message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: turbotls.worker.v1.ToWorker.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a ToWorker message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {turbotls.worker.v1.ToWorker & turbotls.worker.v1.ToWorker.$Shape} ToWorker
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): turbotls.worker.v1.ToWorker & turbotls.worker.v1.ToWorker.$Shape;
            }

            namespace ToWorker {

                /** Properties of a ToWorker. */
                interface $Properties {

                    /** ToWorker datagrams */
                    datagrams?: (turbotls.worker.v1.Datagram.$Properties[]|null);

                    /** ToWorker connection */
                    connection?: (turbotls.worker.v1.Connection.$Properties|null);

                    /** ToWorker listening */
                    listening?: (turbotls.worker.v1.Listening.$Properties|null);

                    /** ToWorker drain */
                    drain?: (turbotls.worker.v1.Drain.$Properties|null);

                    /** ToWorker welcome */
                    welcome?: (boolean|null);

                    /** ToWorker served */
                    served?: (number|null);

                    /** ToWorker told */
                    told?: (Uint8Array|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a ToWorker. */
                type $Shape = turbotls.worker.v1.ToWorker.$Properties;
            }

            /**
             * Properties of a Connection.
             * @deprecated Use turbotls.worker.v1.Connection.$Properties instead.
             */
            interface IConnection extends turbotls.worker.v1.Connection.$Properties {
            }

            /** Represents a Connection. */
            class Connection {

                /**
                 * Constructs a new Connection.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: turbotls.worker.v1.Connection.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Connection portId. */
                portId: number;

                /** Connection head. */
                head: Uint8Array;

                /**
                 * Creates a new Connection instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns Connection instance
                 */
                static create(properties: turbotls.worker.v1.Connection.$Shape): turbotls.worker.v1.Connection & turbotls.worker.v1.Connection.$Shape;
                static create(properties?: turbotls.worker.v1.Connection.$Properties): turbotls.worker.v1.Connection;

                /**
                 * Encodes the specified Connection message. Does not implicitly {@link turbotls.worker.v1.Connection.verify|verify} messages.
                 * @param message Connection message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: turbotls.worker.v1.Connection.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Connection message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {turbotls.worker.v1.Connection & turbotls.worker.v1.Connection.$Shape} Connection
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): turbotls.worker.v1.Connection & turbotls.worker.v1.Connection.$Shape;
            }

            namespace Connection {

                /** Properties of a Connection. */
                interface $Properties {

                    /** Connection portId */
                    portId?: (number|null);

                    /** Connection head */
                    head?: (Uint8Array|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Connection. */
                type $Shape = turbotls.worker.v1.Connection.$Properties;
            }

            /**
             * Properties of a Listening.
             * @deprecated Use turbotls.worker.v1.Listening.$Properties instead.
             */
            interface IListening extends turbotls.worker.v1.Listening.$Properties {
            }

            /** Represents a Listening. */
            class Listening {

                /**
                 * Constructs a new Listening.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: turbotls.worker.v1.Listening.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Listening request. */
                request: number;

                /** Listening portId. */
                portId: number;

                /** Listening address. */
                address: string;

                /** Listening family. */
                family: string;

                /** Listening port. */
                port: number;

                /** Listening failure. */
                failure?: (turbotls.worker.v1.Failure.$Properties|null);

                /** Listening udpFailure. */
                udpFailure?: (turbotls.worker.v1.Failure.$Properties|null);

                /**
                 * Creates a new Listening instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns Listening instance
                 */
                static create(properties: turbotls.worker.v1.Listening.$Shape): turbotls.worker.v1.Listening & turbotls.worker.v1.Listening.$Shape;
                static create(properties?: turbotls.worker.v1.Listening.$Properties): turbotls.worker.v1.Listening;

                /**
                 * Encodes the specified Listening message. Does not implicitly {@link turbotls.worker.v1.Listening.verify|verify} messages.
                 * @param message Listening message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: turbotls.worker.v1.Listening.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Listening message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {turbotls.worker.v1.Listening & turbotls.worker.v1.Listening.$Shape} Listening
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): turbotls.worker.v1.Listening & turbotls.worker.v1.Listening.$Shape;
            }

            namespace Listening {

                /** Properties of a Listening. */
                interface $Properties {

                    /** Listening request */
                    request?: (number|null);

                    /** Listening portId */
                    portId?: (number|null);

                    /** Listening address */
                    address?: (string|null);

                    /** Listening family */
                    family?: (string|null);

                    /** Listening port */
                    port?: (number|null);

                    /** Listening failure */
                    failure?: (turbotls.worker.v1.Failure.$Properties|null);

                    /** Listening udpFailure */
                    udpFailure?: (turbotls.worker.v1.Failure.$Properties|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Listening. */
                type $Shape = turbotls.worker.v1.Listening.$Properties;
            }

            /**
             * Properties of a Failure.
             * @deprecated Use turbotls.worker.v1.Failure.$Properties instead.
             */
            interface IFailure extends turbotls.worker.v1.Failure.$Properties {
            }

            /** Represents a Failure. */
            class Failure {

                /**
                 * Constructs a new Failure.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: turbotls.worker.v1.Failure.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Failure code. */
                code: string;

                /** Failure message. */
                message: string;

                /** Failure syscall. */
                syscall: string;

                /** Failure errno. */
                errno: number;

                /** Failure address. */
                address: string;

                /** Failure port. */
                port: number;

                /**
                 * Creates a new Failure instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns Failure instance
                 */
                static create(properties: turbotls.worker.v1.Failure.$Shape): turbotls.worker.v1.Failure & turbotls.worker.v1.Failure.$Shape;
                static create(properties?: turbotls.worker.v1.Failure.$Properties): turbotls.worker.v1.Failure;

                /**
                 * Encodes the specified Failure message. Does not implicitly {@link turbotls.worker.v1.Failure.verify|verify} messages.
                 * @param message Failure message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: turbotls.worker.v1.Failure.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Failure message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {turbotls.worker.v1.Failure & turbotls.worker.v1.Failure.$Shape} Failure
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): turbotls.worker.v1.Failure & turbotls.worker.v1.Failure.$Shape;
            }

            namespace Failure {

                /** Properties of a Failure. */
                interface $Properties {

                    /** Failure code */
                    code?: (string|null);

                    /** Failure message */
                    message?: (string|null);

                    /** Failure syscall */
                    syscall?: (string|null);

                    /** Failure errno */
                    errno?: (number|null);

                    /** Failure address */
                    address?: (string|null);

                    /** Failure port */
                    port?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Failure. */
                type $Shape = turbotls.worker.v1.Failure.$Properties;
            }

            /**
             * Properties of a Drain.
             * @deprecated Use turbotls.worker.v1.Drain.$Properties instead.
             */
            interface IDrain extends turbotls.worker.v1.Drain.$Properties {
            }

            /** Represents a Drain. */
            class Drain {

                /**
                 * Constructs a new Drain.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: turbotls.worker.v1.Drain.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Drain deadlineMs. */
                deadlineMs: number;

                /**
                 * Creates a new Drain instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns Drain instance
                 */
                static create(properties: turbotls.worker.v1.Drain.$Shape): turbotls.worker.v1.Drain & turbotls.worker.v1.Drain.$Shape;
                static create(properties?: turbotls.worker.v1.Drain.$Properties): turbotls.worker.v1.Drain;

                /**
                 * Encodes the specified Drain message. Does not implicitly {@link turbotls.worker.v1.Drain.verify|verify} messages.
                 * @param message Drain message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: turbotls.worker.v1.Drain.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Drain message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {turbotls.worker.v1.Drain & turbotls.worker.v1.Drain.$Shape} Drain
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): turbotls.worker.v1.Drain & turbotls.worker.v1.Drain.$Shape;
            }

            namespace Drain {

                /** Properties of a Drain. */
                interface $Properties {

                    /** Drain deadlineMs */
                    deadlineMs?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Drain. */
                type $Shape = turbotls.worker.v1.Drain.$Properties;
            }

            /**
             * Properties of a ToFront.
             * @deprecated Use turbotls.worker.v1.ToFront.$Properties instead.
             */
            interface IToFront extends turbotls.worker.v1.ToFront.$Properties {
            }

            /** Represents a ToFront. */
            class ToFront {

                /**
                 * Constructs a new ToFront.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: turbotls.worker.v1.ToFront.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ToFront received. */
                received: number;

                /** ToFront closed. */
                closed: number;

                /** ToFront datagrams. */
                datagrams: turbotls.worker.v1.Datagram.$Properties[];

                /** ToFront hello. */
                hello: boolean;

                /** ToFront listen. */
                listen?: (turbotls.worker.v1.Listen.$Properties|null);

                /** ToFront serving. */
                serving?: (turbotls.worker.v1.Serving.$Properties|null);

                /** ToFront told. */
                told?: (Uint8Array|null);

                /**
                 * Creates a new ToFront instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns ToFront instance
                 */
                static create(properties: turbotls.worker.v1.ToFront.$Shape): turbotls.worker.v1.ToFront & turbotls.worker.v1.ToFront.$Shape;
                static create(properties?: turbotls.worker.v1.ToFront.$Properties): turbotls.worker.v1.ToFront;

                /**
                 * Encodes the specified ToFront message. Does not implicitly {@link turbotls.worker.v1.ToFront.verify|verify} messages.
                 * @param message ToFront message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: turbotls.worker.v1.ToFront.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a ToFront message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {turbotls.worker.v1.ToFront & turbotls.worker.v1.ToFront.$Shape} ToFront
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): turbotls.worker.v1.ToFront & turbotls.worker.v1.ToFront.$Shape;
            }

            namespace ToFront {

                /** Properties of a ToFront. */
                interface $Properties {

                    /** ToFront received */
                    received?: (number|null);

                    /** ToFront closed */
                    closed?: (number|null);

                    /** ToFront datagrams */
                    datagrams?: (turbotls.worker.v1.Datagram.$Properties[]|null);

                    /** ToFront hello */
                    hello?: (boolean|null);

                    /** ToFront listen */
                    listen?: (turbotls.worker.v1.Listen.$Properties|null);

                    /** ToFront serving */
                    serving?: (turbotls.worker.v1.Serving.$Properties|null);

                    /** ToFront told */
                    told?: (Uint8Array|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a ToFront. */
                type $Shape = turbotls.worker.v1.ToFront.$Properties;
            }

            /**
             * Properties of a Listen.
             * @deprecated Use turbotls.worker.v1.Listen.$Properties instead.
             */
            interface IListen extends turbotls.worker.v1.Listen.$Properties {
            }

            /** Represents a Listen. */
            class Listen {

                /**
                 * Constructs a new Listen.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: turbotls.worker.v1.Listen.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Listen request. */
                request: number;

                /** Listen host. */
                host: string;

                /** Listen port. */
                port: number;

                /** Listen ipv6Only. */
                ipv6Only: boolean;

                /** Listen backlog. */
                backlog: number;

                /** Listen index. */
                index: number;

                /**
                 * Creates a new Listen instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns Listen instance
                 */
                static create(properties: turbotls.worker.v1.Listen.$Shape): turbotls.worker.v1.Listen & turbotls.worker.v1.Listen.$Shape;
                static create(properties?: turbotls.worker.v1.Listen.$Properties): turbotls.worker.v1.Listen;

                /**
                 * Encodes the specified Listen message. Does not implicitly {@link turbotls.worker.v1.Listen.verify|verify} messages.
                 * @param message Listen message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: turbotls.worker.v1.Listen.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Listen message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {turbotls.worker.v1.Listen & turbotls.worker.v1.Listen.$Shape} Listen
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): turbotls.worker.v1.Listen & turbotls.worker.v1.Listen.$Shape;
            }

            namespace Listen {

                /** Properties of a Listen. */
                interface $Properties {

                    /** Listen request */
                    request?: (number|null);

                    /** Listen host */
                    host?: (string|null);

                    /** Listen port */
                    port?: (number|null);

                    /** Listen ipv6Only */
                    ipv6Only?: (boolean|null);

                    /** Listen backlog */
                    backlog?: (number|null);

                    /** Listen index */
                    index?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Listen. */
                type $Shape = turbotls.worker.v1.Listen.$Properties;
            }

            /**
             * Properties of a Serving.
             * @deprecated Use turbotls.worker.v1.Serving.$Properties instead.
             */
            interface IServing extends turbotls.worker.v1.Serving.$Properties {
            }

            /** Represents a Serving. */
            class Serving {

                /**
                 * Constructs a new Serving.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: turbotls.worker.v1.Serving.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Serving portId. */
                portId: number;

                /** Serving tcp. */
                tcp: boolean;

                /** Serving udp. */
                udp: boolean;

                /**
                 * Creates a new Serving instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns Serving instance
                 */
                static create(properties: turbotls.worker.v1.Serving.$Shape): turbotls.worker.v1.Serving & turbotls.worker.v1.Serving.$Shape;
                static create(properties?: turbotls.worker.v1.Serving.$Properties): turbotls.worker.v1.Serving;

                /**
                 * Encodes the specified Serving message. Does not implicitly {@link turbotls.worker.v1.Serving.verify|verify} messages.
                 * @param message Serving message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: turbotls.worker.v1.Serving.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Serving message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {turbotls.worker.v1.Serving & turbotls.worker.v1.Serving.$Shape} Serving
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): turbotls.worker.v1.Serving & turbotls.worker.v1.Serving.$Shape;
            }

            namespace Serving {

                /** Properties of a Serving. */
                interface $Properties {

                    /** Serving portId */
                    portId?: (number|null);

                    /** Serving tcp */
                    tcp?: (boolean|null);

                    /** Serving udp */
                    udp?: (boolean|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Serving. */
                type $Shape = turbotls.worker.v1.Serving.$Properties;
            }
        }
    }
}
