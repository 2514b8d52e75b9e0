/*eslint-disable block-scoped-var, id-length, no-control-regex, no-magic-numbers, no-mixed-operators, no-prototype-builtins, no-redeclare, no-shadow, no-var, sort-vars, default-case, jsdoc/require-param*/
import $protobuf from "protobufjs/minimal.js";

// Common aliases
const $Reader = $protobuf.Reader, $Writer = $protobuf.Writer, $util = $protobuf.util;
const $Object = $util.global.Object, $undefined = $util.global.undefined, $Error = $util.global.Error, $RangeError = $util.global.RangeError;

// Exported root namespace
const $root = $protobuf.roots["worker"] || ($protobuf.roots["worker"] = {});

export const turbotls = $root.turbotls = (() => {

    /**
     * Namespace turbotls.
     * @exports turbotls
     * @namespace
     */
    const turbotls = {};

    turbotls.worker = (function() {

        /**
         * Namespace worker.
         * @memberof turbotls
         * @namespace
         */
        const worker = {};

        worker.v1 = (function() {

            /**
             * Namespace v1.
             * @memberof turbotls.worker
             * @namespace
             */
            const v1 = {};

            v1.Datagram = (function() {

                /**
                 * Properties of a Datagram.
                 * @typedef {Object} turbotls.worker.v1.Datagram.$Properties
                 * @property {number|null} [portId] Datagram portId
                 * @property {Uint8Array|null} [payload] Datagram payload
                 * @property {string|null} [address] Datagram address
                 * @property {number|null} [port] Datagram port
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a Datagram.
                 * @memberof turbotls.worker.v1
                 * @interface IDatagram
                 * @augments turbotls.worker.v1.Datagram.$Properties
                 * @deprecated Use turbotls.worker.v1.Datagram.$Properties instead.
                 */

                /**
                 * Shape of a Datagram.
                 * @typedef {turbotls.worker.v1.Datagram.$Properties} turbotls.worker.v1.Datagram.$Shape
                 */

                /**
                 * Constructs a new Datagram.
                 * @memberof turbotls.worker.v1
                 * @classdesc Represents a Datagram.
                 * @constructor
                 * @param {turbotls.worker.v1.Datagram.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const Datagram = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * Datagram portId.
                 * @member {number} portId
                 * @memberof turbotls.worker.v1.Datagram
                 * @instance
                 */
                Datagram.prototype.portId = 0;

                /**
                 * Datagram payload.
                 * @member {Uint8Array} payload
                 * @memberof turbotls.worker.v1.Datagram
                 * @instance
                 */
                Datagram.prototype.payload = $util.newBuffer([]);

                /**
                 * Datagram address.
                 * @member {string} address
                 * @memberof turbotls.worker.v1.Datagram
                 * @instance
                 */
                Datagram.prototype.address = "";

                /**
                 * Datagram port.
                 * @member {number} port
                 * @memberof turbotls.worker.v1.Datagram
                 * @instance
                 */
                Datagram.prototype.port = 0;

                /**
                 * Creates a new Datagram instance using the specified properties.
                 * @function create
                 * @memberof turbotls.worker.v1.Datagram
                 * @static
                 * @param {turbotls.worker.v1.Datagram.$Properties=} [properties] Properties to set
                 * @returns {turbotls.worker.v1.Datagram} Datagram instance
                 * @type {{
                 *   (properties: turbotls.worker.v1.Datagram.$Shape): turbotls.worker.v1.Datagram & turbotls.worker.v1.Datagram.$Shape;
                 *   (properties?: turbotls.worker.v1.Datagram.$Properties): turbotls.worker.v1.Datagram;
                 * }}
                 */
                Datagram.create = function(properties) {
                    return new Datagram(properties);
                };

                /**
                 * Encodes the specified Datagram message. Does not implicitly {@link turbotls.worker.v1.Datagram.verify|verify} messages.
                 * @function encode
                 * @memberof turbotls.worker.v1.Datagram
                 * @static
                 * @param {turbotls.worker.v1.Datagram.$Properties} message Datagram message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                Datagram.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.portId != null && $Object.hasOwnProperty.call(message, "portId") && message.portId !== 0)
                        writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.portId);
                    if (message.payload != null && $Object.hasOwnProperty.call(message, "payload") && message.payload.length)
                        writer.uint32(/* id 2, wireType 2 =*/18).bytes(message.payload);
                    if (message.address != null && $Object.hasOwnProperty.call(message, "address") && message.address !== "")
                        writer.uint32(/* id 3, wireType 2 =*/26).string(message.address);
                    if (message.port != null && $Object.hasOwnProperty.call(message, "port") && message.port !== 0)
                        writer.uint32(/* id 4, wireType 0 =*/32).uint32(message.port);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a Datagram message from the specified reader or buffer.
                 * @function decode
                 * @memberof turbotls.worker.v1.Datagram
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {turbotls.worker.v1.Datagram & turbotls.worker.v1.Datagram.$Shape} Datagram
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                Datagram.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.turbotls.worker.v1.Datagram();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.portId = value;
                                else
                                    delete message.portId;
                                continue;
                            }
                        case 2: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.bytes()).length)
                                    message.payload = value;
                                else
                                    delete message.payload;
                                continue;
                            }
                        case 3: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.address = value;
                                else
                                    delete message.address;
                                continue;
                            }
                        case 4: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.port = value;
                                else
                                    delete message.port;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return Datagram;
            })();

            v1.ToWorker = (function() {

                /**
                 * Properties of a ToWorker.
                 * @typedef {Object} turbotls.worker.v1.ToWorker.$Properties
                 * @property {Array.<turbotls.worker.v1.Datagram.$Properties>|null} [datagrams] ToWorker datagrams
                 * @property {turbotls.worker.v1.Connection.$Properties|null} [connection] ToWorker connection
                 * @property {turbotls.worker.v1.Listening.$Properties|null} [listening] ToWorker listening
                 * @property {turbotls.worker.v1.Drain.$Properties|null} [drain] ToWorker drain
                 * @property {boolean|null} [welcome] ToWorker welcome
                 * @property {number|null} [served] ToWorker served
                 * @property {Uint8Array|null} [told] ToWorker told
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a ToWorker.
                 * @memberof turbotls.worker.v1
                 * @interface IToWorker
                 * @augments turbotls.worker.v1.ToWorker.$Properties
                 * @deprecated Use turbotls.worker.v1.ToWorker.$Properties instead.
                 */

                /**
                 * Shape of a ToWorker.
                 * @typedef {turbotls.worker.v1.ToWorker.$Properties} turbotls.worker.v1.ToWorker.$Shape
                 */

                /**
                 * Constructs a new ToWorker.
                 * @memberof turbotls.worker.v1
                 * @classdesc Represents a ToWorker.
                 * @constructor
                 * @param {turbotls.worker.v1.ToWorker.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const ToWorker = function (properties) {
                    this.datagrams = [];
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * ToWorker datagrams.
                 * @member {Array.<turbotls.worker.v1.Datagram.$Properties>} datagrams
                 * @memberof turbotls.worker.v1.ToWorker
                 * @instance
                 */
                ToWorker.prototype.datagrams = $util.emptyArray;

                /**
                 * ToWorker connection.
                 * @member {turbotls.worker.v1.Connection.$Properties|null|undefined} connection
                 * @memberof turbotls.worker.v1.ToWorker
                 * @instance
                 */
                ToWorker.prototype.connection = null;

                /**
                 * ToWorker listening.
                 * @member {turbotls.worker.v1.Listening.$Properties|null|undefined} listening
                 * @memberof turbotls.worker.v1.ToWorker
                 * @instance
                 */
                ToWorker.prototype.listening = null;

                /**
                 * ToWorker drain.
                 * @member {turbotls.worker.v1.Drain.$Properties|null|undefined} drain
                 * @memberof turbotls.worker.v1.ToWorker
                 * @instance
                 */
                ToWorker.prototype.drain = null;

                /**
                 * ToWorker welcome.
                 * @member {boolean} welcome
                 * @memberof turbotls.worker.v1.ToWorker
                 * @instance
                 */
                ToWorker.prototype.welcome = false;

                /**
                 * ToWorker served.
                 * @member {number} served
                 * @memberof turbotls.worker.v1.ToWorker
                 * @instance
                 */
                ToWorker.prototype.served = 0;

                /**
                 * ToWorker told.
                 * @member {Uint8Array|null|undefined} told
                 * @memberof turbotls.worker.v1.ToWorker
                 * @instance
                 */
                ToWorker.prototype.told = null;

                // OneOf field names bound to virtual getters and setters
                let $oneOfFields;

                // Virtual OneOf for proto3 optional field
                $Object.defineProperty(ToWorker.prototype, "_told", {
                    get: $util.oneOfGetter($oneOfFields = ["told"]),
                    set: $util.oneOfSetter($oneOfFields)
                });

                /**
                 * Creates a new ToWorker instance using the specified properties.
                 * @function create
                 * @memberof turbotls.worker.v1.ToWorker
                 * @static
                 * @param {turbotls.worker.v1.ToWorker.$Properties=} [properties] Properties to set
                 * @returns {turbotls.worker.v1.ToWorker} ToWorker instance
                 * @type {{
                 *   (properties: turbotls.worker.v1.ToWorker.$Shape): turbotls.worker.v1.ToWorker & turbotls.worker.v1.ToWorker.$Shape;
                 *   (properties?: turbotls.worker.v1.ToWorker.$Properties): turbotls.worker.v1.ToWorker;
                 * }}
                 */
                ToWorker.create = function(properties) {
                    return new ToWorker(properties);
                };

                /**
                 * Encodes the specified ToWorker message. Does not implicitly {@link turbotls.worker.v1.ToWorker.verify|verify} messages.
                 * @function encode
                 * @memberof turbotls.worker.v1.ToWorker
                 * @static
                 * @param {turbotls.worker.v1.ToWorker.$Properties} message ToWorker message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                ToWorker.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.datagrams != null && message.datagrams.length)
                        for (let i = 0; i < message.datagrams.length; ++i)
                            $root.turbotls.worker.v1.Datagram.encode(message.datagrams[i], writer.uint32(/* id 1, wireType 2 =*/10).fork(), _depth + 1).ldelim();
                    if (message.connection != null && $Object.hasOwnProperty.call(message, "connection"))
                        $root.turbotls.worker.v1.Connection.encode(message.connection, writer.uint32(/* id 2, wireType 2 =*/18).fork(), _depth + 1).ldelim();
                    if (message.listening != null && $Object.hasOwnProperty.call(message, "listening"))
                        $root.turbotls.worker.v1.Listening.encode(message.listening, writer.uint32(/* id 3, wireType 2 =*/26).fork(), _depth + 1).ldelim();
                    if (message.drain != null && $Object.hasOwnProperty.call(message, "drain"))
                        $root.turbotls.worker.v1.Drain.encode(message.drain, writer.uint32(/* id 4, wireType 2 =*/34).fork(), _depth + 1).ldelim();
                    if (message.welcome != null && $Object.hasOwnProperty.call(message, "welcome") && message.welcome !== false)
                        writer.uint32(/* id 5, wireType 0 =*/40).bool(message.welcome);
                    if (message.served != null && $Object.hasOwnProperty.call(message, "served") && message.served !== 0)
                        writer.uint32(/* id 6, wireType 0 =*/48).uint32(message.served);
                    if (message.told != null && $Object.hasOwnProperty.call(message, "told"))
                        writer.uint32(/* id 7, wireType 2 =*/58).bytes(message.told);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a ToWorker message from the specified reader or buffer.
                 * @function decode
                 * @memberof turbotls.worker.v1.ToWorker
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {turbotls.worker.v1.ToWorker & turbotls.worker.v1.ToWorker.$Shape} ToWorker
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                ToWorker.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.turbotls.worker.v1.ToWorker();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 2)
                                    break;
                                if (!(message.datagrams && message.datagrams.length))
                                    message.datagrams = [];
                                message.datagrams.push($root.turbotls.worker.v1.Datagram.decode(reader, reader.size(), $undefined, _depth + 1));
                                continue;
                            }
                        case 2: {
                                if (wireType !== 2)
                                    break;
                                message.connection = $root.turbotls.worker.v1.Connection.decode(reader, reader.size(), $undefined, _depth + 1, message.connection);
                                continue;
                            }
                        case 3: {
                                if (wireType !== 2)
                                    break;
                                message.listening = $root.turbotls.worker.v1.Listening.decode(reader, reader.size(), $undefined, _depth + 1, message.listening);
                                continue;
                            }
                        case 4: {
                                if (wireType !== 2)
                                    break;
                                message.drain = $root.turbotls.worker.v1.Drain.decode(reader, reader.size(), $undefined, _depth + 1, message.drain);
                                continue;
                            }
                        case 5: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.bool())
                                    message.welcome = value;
                                else
                                    delete message.welcome;
                                continue;
                            }
                        case 6: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.served = value;
                                else
                                    delete message.served;
                                continue;
                            }
                        case 7: {
                                if (wireType !== 2)
                                    break;
                                message.told = reader.bytes();
                                message._told = "told";
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return ToWorker;
            })();

            v1.Connection = (function() {

                /**
                 * Properties of a Connection.
                 * @typedef {Object} turbotls.worker.v1.Connection.$Properties
                 * @property {number|null} [portId] Connection portId
                 * @property {Uint8Array|null} [head] Connection head
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a Connection.
                 * @memberof turbotls.worker.v1
                 * @interface IConnection
                 * @augments turbotls.worker.v1.Connection.$Properties
                 * @deprecated Use turbotls.worker.v1.Connection.$Properties instead.
                 */

                /**
                 * Shape of a Connection.
                 * @typedef {turbotls.worker.v1.Connection.$Properties} turbotls.worker.v1.Connection.$Shape
                 */

                /**
                 * Constructs a new Connection.
                 * @memberof turbotls.worker.v1
                 * @classdesc Represents a Connection.
                 * @constructor
                 * @param {turbotls.worker.v1.Connection.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const Connection = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * Connection portId.
                 * @member {number} portId
                 * @memberof turbotls.worker.v1.Connection
                 * @instance
                 */
                Connection.prototype.portId = 0;

                /**
                 * Connection head.
                 * @member {Uint8Array} head
                 * @memberof turbotls.worker.v1.Connection
                 * @instance
                 */
                Connection.prototype.head = $util.newBuffer([]);

                /**
                 * Creates a new Connection instance using the specified properties.
                 * @function create
                 * @memberof turbotls.worker.v1.Connection
                 * @static
                 * @param {turbotls.worker.v1.Connection.$Properties=} [properties] Properties to set
                 * @returns {turbotls.worker.v1.Connection} Connection instance
                 * @type {{
                 *   (properties: turbotls.worker.v1.Connection.$Shape): turbotls.worker.v1.Connection & turbotls.worker.v1.Connection.$Shape;
                 *   (properties?: turbotls.worker.v1.Connection.$Properties): turbotls.worker.v1.Connection;
                 * }}
                 */
                Connection.create = function(properties) {
                    return new Connection(properties);
                };

                /**
                 * Encodes the specified Connection message. Does not implicitly {@link turbotls.worker.v1.Connection.verify|verify} messages.
                 * @function encode
                 * @memberof turbotls.worker.v1.Connection
                 * @static
                 * @param {turbotls.worker.v1.Connection.$Properties} message Connection message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                Connection.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.portId != null && $Object.hasOwnProperty.call(message, "portId") && message.portId !== 0)
                        writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.portId);
                    if (message.head != null && $Object.hasOwnProperty.call(message, "head") && message.head.length)
                        writer.uint32(/* id 2, wireType 2 =*/18).bytes(message.head);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a Connection message from the specified reader or buffer.
                 * @function decode
                 * @memberof turbotls.worker.v1.Connection
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {turbotls.worker.v1.Connection & turbotls.worker.v1.Connection.$Shape} Connection
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                Connection.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.turbotls.worker.v1.Connection();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.portId = value;
                                else
                                    delete message.portId;
                                continue;
                            }
                        case 2: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.bytes()).length)
                                    message.head = value;
                                else
                                    delete message.head;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return Connection;
            })();

            v1.Listening = (function() {

                /**
                 * Properties of a Listening.
                 * @typedef {Object} turbotls.worker.v1.Listening.$Properties
                 * @property {number|null} [request] Listening request
                 * @property {number|null} [portId] Listening portId
                 * @property {string|null} [address] Listening address
                 * @property {string|null} [family] Listening family
                 * @property {number|null} [port] Listening port
                 * @property {turbotls.worker.v1.Failure.$Properties|null} [failure] Listening failure
                 * @property {turbotls.worker.v1.Failure.$Properties|null} [udpFailure] Listening udpFailure
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a Listening.
                 * @memberof turbotls.worker.v1
                 * @interface IListening
                 * @augments turbotls.worker.v1.Listening.$Properties
                 * @deprecated Use turbotls.worker.v1.Listening.$Properties instead.
                 */

                /**
                 * Shape of a Listening.
                 * @typedef {turbotls.worker.v1.Listening.$Properties} turbotls.worker.v1.Listening.$Shape
                 */

                /**
                 * Constructs a new Listening.
                 * @memberof turbotls.worker.v1
                 * @classdesc Represents a Listening.
                 * @constructor
                 * @param {turbotls.worker.v1.Listening.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const Listening = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * Listening request.
                 * @member {number} request
                 * @memberof turbotls.worker.v1.Listening
                 * @instance
                 */
                Listening.prototype.request = 0;

                /**
                 * Listening portId.
                 * @member {number} portId
                 * @memberof turbotls.worker.v1.Listening
                 * @instance
                 */
                Listening.prototype.portId = 0;

                /**
                 * Listening address.
                 * @member {string} address
                 * @memberof turbotls.worker.v1.Listening
                 * @instance
                 */
                Listening.prototype.address = "";

                /**
                 * Listening family.
                 * @member {string} family
                 * @memberof turbotls.worker.v1.Listening
                 * @instance
                 */
                Listening.prototype.family = "";

                /**
                 * Listening port.
                 * @member {number} port
                 * @memberof turbotls.worker.v1.Listening
                 * @instance
                 */
                Listening.prototype.port = 0;

                /**
                 * Listening failure.
                 * @member {turbotls.worker.v1.Failure.$Properties|null|undefined} failure
                 * @memberof turbotls.worker.v1.Listening
                 * @instance
                 */
                Listening.prototype.failure = null;

                /**
                 * Listening udpFailure.
                 * @member {turbotls.worker.v1.Failure.$Properties|null|undefined} udpFailure
                 * @memberof turbotls.worker.v1.Listening
                 * @instance
                 */
                Listening.prototype.udpFailure = null;

                /**
                 * Creates a new Listening instance using the specified properties.
                 * @function create
                 * @memberof turbotls.worker.v1.Listening
                 * @static
                 * @param {turbotls.worker.v1.Listening.$Properties=} [properties] Properties to set
                 * @returns {turbotls.worker.v1.Listening} Listening instance
                 * @type {{
                 *   (properties: turbotls.worker.v1.Listening.$Shape): turbotls.worker.v1.Listening & turbotls.worker.v1.Listening.$Shape;
                 *   (properties?: turbotls.worker.v1.Listening.$Properties): turbotls.worker.v1.Listening;
                 * }}
                 */
                Listening.create = function(properties) {
                    return new Listening(properties);
                };

                /**
                 * Encodes the specified Listening message. Does not implicitly {@link turbotls.worker.v1.Listening.verify|verify} messages.
                 * @function encode
                 * @memberof turbotls.worker.v1.Listening
                 * @static
                 * @param {turbotls.worker.v1.Listening.$Properties} message Listening message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                Listening.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.request != null && $Object.hasOwnProperty.call(message, "request") && message.request !== 0)
                        writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.request);
                    if (message.portId != null && $Object.hasOwnProperty.call(message, "portId") && message.portId !== 0)
                        writer.uint32(/* id 2, wireType 0 =*/16).uint32(message.portId);
                    if (message.address != null && $Object.hasOwnProperty.call(message, "address") && message.address !== "")
                        writer.uint32(/* id 3, wireType 2 =*/26).string(message.address);
                    if (message.family != null && $Object.hasOwnProperty.call(message, "family") && message.family !== "")
                        writer.uint32(/* id 4, wireType 2 =*/34).string(message.family);
                    if (message.port != null && $Object.hasOwnProperty.call(message, "port") && message.port !== 0)
                        writer.uint32(/* id 5, wireType 0 =*/40).uint32(message.port);
                    if (message.failure != null && $Object.hasOwnProperty.call(message, "failure"))
                        $root.turbotls.worker.v1.Failure.encode(message.failure, writer.uint32(/* id 6, wireType 2 =*/50).fork(), _depth + 1).ldelim();
                    if (message.udpFailure != null && $Object.hasOwnProperty.call(message, "udpFailure"))
                        $root.turbotls.worker.v1.Failure.encode(message.udpFailure, writer.uint32(/* id 7, wireType 2 =*/58).fork(), _depth + 1).ldelim();
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a Listening message from the specified reader or buffer.
                 * @function decode
                 * @memberof turbotls.worker.v1.Listening
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {turbotls.worker.v1.Listening & turbotls.worker.v1.Listening.$Shape} Listening
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                Listening.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.turbotls.worker.v1.Listening();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.request = value;
                                else
                                    delete message.request;
                                continue;
                            }
                        case 2: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.portId = value;
                                else
                                    delete message.portId;
                                continue;
                            }
                        case 3: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.address = value;
                                else
                                    delete message.address;
                                continue;
                            }
                        case 4: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.family = value;
                                else
                                    delete message.family;
                                continue;
                            }
                        case 5: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.port = value;
                                else
                                    delete message.port;
                                continue;
                            }
                        case 6: {
                                if (wireType !== 2)
                                    break;
                                message.failure = $root.turbotls.worker.v1.Failure.decode(reader, reader.size(), $undefined, _depth + 1, message.failure);
                                continue;
                            }
                        case 7: {
                                if (wireType !== 2)
                                    break;
                                message.udpFailure = $root.turbotls.worker.v1.Failure.decode(reader, reader.size(), $undefined, _depth + 1, message.udpFailure);
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return Listening;
            })();

            v1.Failure = (function() {

                /**
                 * Properties of a Failure.
                 * @typedef {Object} turbotls.worker.v1.Failure.$Properties
                 * @property {string|null} [code] Failure code
                 * @property {string|null} [message] Failure message
                 * @property {string|null} [syscall] Failure syscall
                 * @property {number|null} [errno] Failure errno
                 * @property {string|null} [address] Failure address
                 * @property {number|null} [port] Failure port
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a Failure.
                 * @memberof turbotls.worker.v1
                 * @interface IFailure
                 * @augments turbotls.worker.v1.Failure.$Properties
                 * @deprecated Use turbotls.worker.v1.Failure.$Properties instead.
                 */

                /**
                 * Shape of a Failure.
                 * @typedef {turbotls.worker.v1.Failure.$Properties} turbotls.worker.v1.Failure.$Shape
                 */

                /**
                 * Constructs a new Failure.
                 * @memberof turbotls.worker.v1
                 * @classdesc Represents a Failure.
                 * @constructor
                 * @param {turbotls.worker.v1.Failure.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const Failure = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * Failure code.
                 * @member {string} code
                 * @memberof turbotls.worker.v1.Failure
                 * @instance
                 */
                Failure.prototype.code = "";

                /**
                 * Failure message.
                 * @member {string} message
                 * @memberof turbotls.worker.v1.Failure
                 * @instance
                 */
                Failure.prototype.message = "";

                /**
                 * Failure syscall.
                 * @member {string} syscall
                 * @memberof turbotls.worker.v1.Failure
                 * @instance
                 */
                Failure.prototype.syscall = "";

                /**
                 * Failure errno.
                 * @member {number} errno
                 * @memberof turbotls.worker.v1.Failure
                 * @instance
                 */
                Failure.prototype.errno = 0;

                /**
                 * Failure address.
                 * @member {string} address
                 * @memberof turbotls.worker.v1.Failure
                 * @instance
                 */
                Failure.prototype.address = "";

                /**
                 * Failure port.
                 * @member {number} port
                 * @memberof turbotls.worker.v1.Failure
                 * @instance
                 */
                Failure.prototype.port = 0;

                /**
                 * Creates a new Failure instance using the specified properties.
                 * @function create
                 * @memberof turbotls.worker.v1.Failure
                 * @static
                 * @param {turbotls.worker.v1.Failure.$Properties=} [properties] Properties to set
                 * @returns {turbotls.worker.v1.Failure} Failure instance
                 * @type {{
                 *   (properties: turbotls.worker.v1.Failure.$Shape): turbotls.worker.v1.Failure & turbotls.worker.v1.Failure.$Shape;
                 *   (properties?: turbotls.worker.v1.Failure.$Properties): turbotls.worker.v1.Failure;
                 * }}
                 */
                Failure.create = function(properties) {
                    return new Failure(properties);
                };

                /**
                 * Encodes the specified Failure message. Does not implicitly {@link turbotls.worker.v1.Failure.verify|verify} messages.
                 * @function encode
                 * @memberof turbotls.worker.v1.Failure
                 * @static
                 * @param {turbotls.worker.v1.Failure.$Properties} message Failure message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                Failure.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.code != null && $Object.hasOwnProperty.call(message, "code") && message.code !== "")
                        writer.uint32(/* id 1, wireType 2 =*/10).string(message.code);
                    if (message.message != null && $Object.hasOwnProperty.call(message, "message") && message.message !== "")
                        writer.uint32(/* id 2, wireType 2 =*/18).string(message.message);
                    if (message.syscall != null && $Object.hasOwnProperty.call(message, "syscall") && message.syscall !== "")
                        writer.uint32(/* id 3, wireType 2 =*/26).string(message.syscall);
                    if (message.errno != null && $Object.hasOwnProperty.call(message, "errno") && message.errno !== 0)
                        writer.uint32(/* id 4, wireType 0 =*/32).sint32(message.errno);
                    if (message.address != null && $Object.hasOwnProperty.call(message, "address") && message.address !== "")
                        writer.uint32(/* id 5, wireType 2 =*/42).string(message.address);
                    if (message.port != null && $Object.hasOwnProperty.call(message, "port") && message.port !== 0)
                        writer.uint32(/* id 6, wireType 0 =*/48).uint32(message.port);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a Failure message from the specified reader or buffer.
                 * @function decode
                 * @memberof turbotls.worker.v1.Failure
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {turbotls.worker.v1.Failure & turbotls.worker.v1.Failure.$Shape} Failure
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                Failure.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.turbotls.worker.v1.Failure();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.code = value;
                                else
                                    delete message.code;
                                continue;
                            }
                        case 2: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.message = value;
                                else
                                    delete message.message;
                                continue;
                            }
                        case 3: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.syscall = value;
                                else
                                    delete message.syscall;
                                continue;
                            }
                        case 4: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.sint32())
                                    message.errno = value;
                                else
                                    delete message.errno;
                                continue;
                            }
                        case 5: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.address = value;
                                else
                                    delete message.address;
                                continue;
                            }
                        case 6: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.port = value;
                                else
                                    delete message.port;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return Failure;
            })();

            v1.Drain = (function() {

                /**
                 * Properties of a Drain.
                 * @typedef {Object} turbotls.worker.v1.Drain.$Properties
                 * @property {number|null} [deadlineMs] Drain deadlineMs
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a Drain.
                 * @memberof turbotls.worker.v1
                 * @interface IDrain
                 * @augments turbotls.worker.v1.Drain.$Properties
                 * @deprecated Use turbotls.worker.v1.Drain.$Properties instead.
                 */

                /**
                 * Shape of a Drain.
                 * @typedef {turbotls.worker.v1.Drain.$Properties} turbotls.worker.v1.Drain.$Shape
                 */

                /**
                 * Constructs a new Drain.
                 * @memberof turbotls.worker.v1
                 * @classdesc Represents a Drain.
                 * @constructor
                 * @param {turbotls.worker.v1.Drain.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const Drain = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * Drain deadlineMs.
                 * @member {number} deadlineMs
                 * @memberof turbotls.worker.v1.Drain
                 * @instance
                 */
                Drain.prototype.deadlineMs = 0;

                /**
                 * Creates a new Drain instance using the specified properties.
                 * @function create
                 * @memberof turbotls.worker.v1.Drain
                 * @static
                 * @param {turbotls.worker.v1.Drain.$Properties=} [properties] Properties to set
                 * @returns {turbotls.worker.v1.Drain} Drain instance
                 * @type {{
                 *   (properties: turbotls.worker.v1.Drain.$Shape): turbotls.worker.v1.Drain & turbotls.worker.v1.Drain.$Shape;
                 *   (properties?: turbotls.worker.v1.Drain.$Properties): turbotls.worker.v1.Drain;
                 * }}
                 */
                Drain.create = function(properties) {
                    return new Drain(properties);
                };

                /**
                 * Encodes the specified Drain message. Does not implicitly {@link turbotls.worker.v1.Drain.verify|verify} messages.
                 * @function encode
                 * @memberof turbotls.worker.v1.Drain
                 * @static
                 * @param {turbotls.worker.v1.Drain.$Properties} message Drain message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                Drain.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.deadlineMs != null && $Object.hasOwnProperty.call(message, "deadlineMs") && message.deadlineMs !== 0)
                        writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.deadlineMs);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a Drain message from the specified reader or buffer.
                 * @function decode
                 * @memberof turbotls.worker.v1.Drain
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {turbotls.worker.v1.Drain & turbotls.worker.v1.Drain.$Shape} Drain
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                Drain.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.turbotls.worker.v1.Drain();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.deadlineMs = value;
                                else
                                    delete message.deadlineMs;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return Drain;
            })();

            v1.ToFront = (function() {

                /**
                 * Properties of a ToFront.
                 * @typedef {Object} turbotls.worker.v1.ToFront.$Properties
                 * @property {number|null} [received] ToFront received
                 * @property {number|null} [closed] ToFront closed
                 * @property {Array.<turbotls.worker.v1.Datagram.$Properties>|null} [datagrams] ToFront datagrams
                 * @property {boolean|null} [hello] ToFront hello
                 * @property {turbotls.worker.v1.Listen.$Properties|null} [listen] ToFront listen
                 * @property {turbotls.worker.v1.Serving.$Properties|null} [serving] ToFront serving
                 * @property {Uint8Array|null} [told] ToFront told
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a ToFront.
                 * @memberof turbotls.worker.v1
                 * @interface IToFront
                 * @augments turbotls.worker.v1.ToFront.$Properties
                 * @deprecated Use turbotls.worker.v1.ToFront.$Properties instead.
                 */

                /**
                 * Shape of a ToFront.
                 * @typedef {turbotls.worker.v1.ToFront.$Properties} turbotls.worker.v1.ToFront.$Shape
                 */

                /**
                 * Constructs a new ToFront.
                 * @memberof turbotls.worker.v1
                 * @classdesc Represents a ToFront.
                 * @constructor
                 * @param {turbotls.worker.v1.ToFront.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const ToFront = function (properties) {
                    this.datagrams = [];
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * ToFront received.
                 * @member {number} received
                 * @memberof turbotls.worker.v1.ToFront
                 * @instance
                 */
                ToFront.prototype.received = 0;

                /**
                 * ToFront closed.
                 * @member {number} closed
                 * @memberof turbotls.worker.v1.ToFront
                 * @instance
                 */
                ToFront.prototype.closed = 0;

                /**
                 * ToFront datagrams.
                 * @member {Array.<turbotls.worker.v1.Datagram.$Properties>} datagrams
                 * @memberof turbotls.worker.v1.ToFront
                 * @instance
                 */
                ToFront.prototype.datagrams = $util.emptyArray;

                /**
                 * ToFront hello.
                 * @member {boolean} hello
                 * @memberof turbotls.worker.v1.ToFront
                 * @instance
                 */
                ToFront.prototype.hello = false;

                /**
                 * ToFront listen.
                 * @member {turbotls.worker.v1.Listen.$Properties|null|undefined} listen
                 * @memberof turbotls.worker.v1.ToFront
                 * @instance
                 */
                ToFront.prototype.listen = null;

                /**
                 * ToFront serving.
                 * @member {turbotls.worker.v1.Serving.$Properties|null|undefined} serving
                 * @memberof turbotls.worker.v1.ToFront
                 * @instance
                 */
                ToFront.prototype.serving = null;

                /**
                 * ToFront told.
                 * @member {Uint8Array|null|undefined} told
                 * @memberof turbotls.worker.v1.ToFront
                 * @instance
                 */
                ToFront.prototype.told = null;

                // OneOf field names bound to virtual getters and setters
                let $oneOfFields;

                // Virtual OneOf for proto3 optional field
                $Object.defineProperty(ToFront.prototype, "_told", {
                    get: $util.oneOfGetter($oneOfFields = ["told"]),
                    set: $util.oneOfSetter($oneOfFields)
                });

                /**
                 * Creates a new ToFront instance using the specified properties.
                 * @function create
                 * @memberof turbotls.worker.v1.ToFront
                 * @static
                 * @param {turbotls.worker.v1.ToFront.$Properties=} [properties] Properties to set
                 * @returns {turbotls.worker.v1.ToFront} ToFront instance
                 * @type {{
                 *   (properties: turbotls.worker.v1.ToFront.$Shape): turbotls.worker.v1.ToFront & turbotls.worker.v1.ToFront.$Shape;
                 *   (properties?: turbotls.worker.v1.ToFront.$Properties): turbotls.worker.v1.ToFront;
                 * }}
                 */
                ToFront.create = function(properties) {
                    return new ToFront(properties);
                };

                /**
                 * Encodes the specified ToFront message. Does not implicitly {@link turbotls.worker.v1.ToFront.verify|verify} messages.
                 * @function encode
                 * @memberof turbotls.worker.v1.ToFront
                 * @static
                 * @param {turbotls.worker.v1.ToFront.$Properties} message ToFront message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                ToFront.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.received != null && $Object.hasOwnProperty.call(message, "received") && message.received !== 0)
                        writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.received);
                    if (message.closed != null && $Object.hasOwnProperty.call(message, "closed") && message.closed !== 0)
                        writer.uint32(/* id 2, wireType 0 =*/16).uint32(message.closed);
                    if (message.datagrams != null && message.datagrams.length)
                        for (let i = 0; i < message.datagrams.length; ++i)
                            $root.turbotls.worker.v1.Datagram.encode(message.datagrams[i], writer.uint32(/* id 3, wireType 2 =*/26).fork(), _depth + 1).ldelim();
                    if (message.hello != null && $Object.hasOwnProperty.call(message, "hello") && message.hello !== false)
                        writer.uint32(/* id 4, wireType 0 =*/32).bool(message.hello);
                    if (message.listen != null && $Object.hasOwnProperty.call(message, "listen"))
                        $root.turbotls.worker.v1.Listen.encode(message.listen, writer.uint32(/* id 5, wireType 2 =*/42).fork(), _depth + 1).ldelim();
                    if (message.serving != null && $Object.hasOwnProperty.call(message, "serving"))
                        $root.turbotls.worker.v1.Serving.encode(message.serving, writer.uint32(/* id 6, wireType 2 =*/50).fork(), _depth + 1).ldelim();
                    if (message.told != null && $Object.hasOwnProperty.call(message, "told"))
                        writer.uint32(/* id 7, wireType 2 =*/58).bytes(message.told);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a ToFront message from the specified reader or buffer.
                 * @function decode
                 * @memberof turbotls.worker.v1.ToFront
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {turbotls.worker.v1.ToFront & turbotls.worker.v1.ToFront.$Shape} ToFront
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                ToFront.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.turbotls.worker.v1.ToFront();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.received = value;
                                else
                                    delete message.received;
                                continue;
                            }
                        case 2: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.closed = value;
                                else
                                    delete message.closed;
                                continue;
                            }
                        case 3: {
                                if (wireType !== 2)
                                    break;
                                if (!(message.datagrams && message.datagrams.length))
                                    message.datagrams = [];
                                message.datagrams.push($root.turbotls.worker.v1.Datagram.decode(reader, reader.size(), $undefined, _depth + 1));
                                continue;
                            }
                        case 4: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.bool())
                                    message.hello = value;
                                else
                                    delete message.hello;
                                continue;
                            }
                        case 5: {
                                if (wireType !== 2)
                                    break;
                                message.listen = $root.turbotls.worker.v1.Listen.decode(reader, reader.size(), $undefined, _depth + 1, message.listen);
                                continue;
                            }
                        case 6: {
                                if (wireType !== 2)
                                    break;
                                message.serving = $root.turbotls.worker.v1.Serving.decode(reader, reader.size(), $undefined, _depth + 1, message.serving);
                                continue;
                            }
                        case 7: {
                                if (wireType !== 2)
                                    break;
                                message.told = reader.bytes();
                                message._told = "told";
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return ToFront;
            })();

            v1.Listen = (function() {

                /**
                 * Properties of a Listen.
                 * @typedef {Object} turbotls.worker.v1.Listen.$Properties
                 * @property {number|null} [request] Listen request
                 * @property {string|null} [host] Listen host
                 * @property {number|null} [port] Listen port
                 * @property {boolean|null} [ipv6Only] Listen ipv6Only
                 * @property {number|null} [backlog] Listen backlog
                 * @property {number|null} [index] Listen index
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a Listen.
                 * @memberof turbotls.worker.v1
                 * @interface IListen
                 * @augments turbotls.worker.v1.Listen.$Properties
                 * @deprecated Use turbotls.worker.v1.Listen.$Properties instead.
                 */

                /**
                 * Shape of a Listen.
                 * @typedef {turbotls.worker.v1.Listen.$Properties} turbotls.worker.v1.Listen.$Shape
                 */

                /**
                 * Constructs a new Listen.
                 * @memberof turbotls.worker.v1
                 * @classdesc Represents a Listen.
                 * @constructor
                 * @param {turbotls.worker.v1.Listen.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const Listen = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * Listen request.
                 * @member {number} request
                 * @memberof turbotls.worker.v1.Listen
                 * @instance
                 */
                Listen.prototype.request = 0;

                /**
                 * Listen host.
                 * @member {string} host
                 * @memberof turbotls.worker.v1.Listen
                 * @instance
                 */
                Listen.prototype.host = "";

                /**
                 * Listen port.
                 * @member {number} port
                 * @memberof turbotls.worker.v1.Listen
                 * @instance
                 */
                Listen.prototype.port = 0;

                /**
                 * Listen ipv6Only.
                 * @member {boolean} ipv6Only
                 * @memberof turbotls.worker.v1.Listen
                 * @instance
                 */
                Listen.prototype.ipv6Only = false;

                /**
                 * Listen backlog.
                 * @member {number} backlog
                 * @memberof turbotls.worker.v1.Listen
                 * @instance
                 */
                Listen.prototype.backlog = 0;

                /**
                 * Listen index.
                 * @member {number} index
                 * @memberof turbotls.worker.v1.Listen
                 * @instance
                 */
                Listen.prototype.index = 0;

                /**
                 * Creates a new Listen instance using the specified properties.
                 * @function create
                 * @memberof turbotls.worker.v1.Listen
                 * @static
                 * @param {turbotls.worker.v1.Listen.$Properties=} [properties] Properties to set
                 * @returns {turbotls.worker.v1.Listen} Listen instance
                 * @type {{
                 *   (properties: turbotls.worker.v1.Listen.$Shape): turbotls.worker.v1.Listen & turbotls.worker.v1.Listen.$Shape;
                 *   (properties?: turbotls.worker.v1.Listen.$Properties): turbotls.worker.v1.Listen;
                 * }}
                 */
                Listen.create = function(properties) {
                    return new Listen(properties);
                };

                /**
                 * Encodes the specified Listen message. Does not implicitly {@link turbotls.worker.v1.Listen.verify|verify} messages.
                 * @function encode
                 * @memberof turbotls.worker.v1.Listen
                 * @static
                 * @param {turbotls.worker.v1.Listen.$Properties} message Listen message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                Listen.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.request != null && $Object.hasOwnProperty.call(message, "request") && message.request !== 0)
                        writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.request);
                    if (message.host != null && $Object.hasOwnProperty.call(message, "host") && message.host !== "")
                        writer.uint32(/* id 2, wireType 2 =*/18).string(message.host);
                    if (message.port != null && $Object.hasOwnProperty.call(message, "port") && message.port !== 0)
                        writer.uint32(/* id 3, wireType 0 =*/24).uint32(message.port);
                    if (message.ipv6Only != null && $Object.hasOwnProperty.call(message, "ipv6Only") && message.ipv6Only !== false)
                        writer.uint32(/* id 4, wireType 0 =*/32).bool(message.ipv6Only);
                    if (message.backlog != null && $Object.hasOwnProperty.call(message, "backlog") && message.backlog !== 0)
                        writer.uint32(/* id 5, wireType 0 =*/40).uint32(message.backlog);
                    if (message.index != null && $Object.hasOwnProperty.call(message, "index") && message.index !== 0)
                        writer.uint32(/* id 6, wireType 0 =*/48).uint32(message.index);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a Listen message from the specified reader or buffer.
                 * @function decode
                 * @memberof turbotls.worker.v1.Listen
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {turbotls.worker.v1.Listen & turbotls.worker.v1.Listen.$Shape} Listen
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                Listen.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.turbotls.worker.v1.Listen();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.request = value;
                                else
                                    delete message.request;
                                continue;
                            }
                        case 2: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.host = value;
                                else
                                    delete message.host;
                                continue;
                            }
                        case 3: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.port = value;
                                else
                                    delete message.port;
                                continue;
                            }
                        case 4: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.bool())
                                    message.ipv6Only = value;
                                else
                                    delete message.ipv6Only;
                                continue;
                            }
                        case 5: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.backlog = value;
                                else
                                    delete message.backlog;
                                continue;
                            }
                        case 6: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.index = value;
                                else
                                    delete message.index;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return Listen;
            })();

            v1.Serving = (function() {

                /**
                 * Properties of a Serving.
                 * @typedef {Object} turbotls.worker.v1.Serving.$Properties
                 * @property {number|null} [portId] Serving portId
                 * @property {boolean|null} [tcp] Serving tcp
                 * @property {boolean|null} [udp] Serving udp
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a Serving.
                 * @memberof turbotls.worker.v1
                 * @interface IServing
                 * @augments turbotls.worker.v1.Serving.$Properties
                 * @deprecated Use turbotls.worker.v1.Serving.$Properties instead.
                 */

                /**
                 * Shape of a Serving.
                 * @typedef {turbotls.worker.v1.Serving.$Properties} turbotls.worker.v1.Serving.$Shape
                 */

                /**
                 * Constructs a new Serving.
                 * @memberof turbotls.worker.v1
                 * @classdesc Represents a Serving.
                 * @constructor
                 * @param {turbotls.worker.v1.Serving.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const Serving = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * Serving portId.
                 * @member {number} portId
                 * @memberof turbotls.worker.v1.Serving
                 * @instance
                 */
                Serving.prototype.portId = 0;

                /**
                 * Serving tcp.
                 * @member {boolean} tcp
                 * @memberof turbotls.worker.v1.Serving
                 * @instance
                 */
                Serving.prototype.tcp = false;

                /**
                 * Serving udp.
                 * @member {boolean} udp
                 * @memberof turbotls.worker.v1.Serving
                 * @instance
                 */
                Serving.prototype.udp = false;

                /**
                 * Creates a new Serving instance using the specified properties.
                 * @function create
                 * @memberof turbotls.worker.v1.Serving
                 * @static
                 * @param {turbotls.worker.v1.Serving.$Properties=} [properties] Properties to set
                 * @returns {turbotls.worker.v1.Serving} Serving instance
                 * @type {{
                 *   (properties: turbotls.worker.v1.Serving.$Shape): turbotls.worker.v1.Serving & turbotls.worker.v1.Serving.$Shape;
                 *   (properties?: turbotls.worker.v1.Serving.$Properties): turbotls.worker.v1.Serving;
                 * }}
                 */
                Serving.create = function(properties) {
                    return new Serving(properties);
                };

                /**
                 * Encodes the specified Serving message. Does not implicitly {@link turbotls.worker.v1.Serving.verify|verify} messages.
                 * @function encode
                 * @memberof turbotls.worker.v1.Serving
                 * @static
                 * @param {turbotls.worker.v1.Serving.$Properties} message Serving message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                Serving.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.portId != null && $Object.hasOwnProperty.call(message, "portId") && message.portId !== 0)
                        writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.portId);
                    if (message.tcp != null && $Object.hasOwnProperty.call(message, "tcp") && message.tcp !== false)
                        writer.uint32(/* id 2, wireType 0 =*/16).bool(message.tcp);
                    if (message.udp != null && $Object.hasOwnProperty.call(message, "udp") && message.udp !== false)
                        writer.uint32(/* id 3, wireType 0 =*/24).bool(message.udp);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a Serving message from the specified reader or buffer.
                 * @function decode
                 * @memberof turbotls.worker.v1.Serving
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {turbotls.worker.v1.Serving & turbotls.worker.v1.Serving.$Shape} Serving
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                Serving.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.turbotls.worker.v1.Serving();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.portId = value;
                                else
                                    delete message.portId;
                                continue;
                            }
                        case 2: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.bool())
                                    message.tcp = value;
                                else
                                    delete message.tcp;
                                continue;
                            }
                        case 3: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.bool())
                                    message.udp = value;
                                else
                                    delete message.udp;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return Serving;
            })();

            return v1;
        })();

        return worker;
    })();

    return turbotls;
})();

export {
  $root as default
};
