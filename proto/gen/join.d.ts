import * as $protobuf from "protobufjs/minimal.js";

/** Namespace orch. */
export namespace orch {

    /** Namespace join. */
    namespace join {

        /** Namespace v1. */
        namespace v1 {

            /**
             * Properties of a GetCaRequest.
             * @deprecated Use orch.join.v1.GetCaRequest.$Properties instead.
             */
            interface IGetCaRequest extends orch.join.v1.GetCaRequest.$Properties {
            }

            /** Represents a GetCaRequest. */
            class GetCaRequest {

                /**
                 * Constructs a new GetCaRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: orch.join.v1.GetCaRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /**
                 * Encodes the specified GetCaRequest message. Does not implicitly {@link orch.join.v1.GetCaRequest.verify|verify} messages.
                 * @param message GetCaRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: orch.join.v1.GetCaRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a GetCaRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {orch.join.v1.GetCaRequest & orch.join.v1.GetCaRequest.$Shape} GetCaRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): orch.join.v1.GetCaRequest & orch.join.v1.GetCaRequest.$Shape;
            }

            namespace GetCaRequest {

                /** Properties of a GetCaRequest. */
                interface $Properties {

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a GetCaRequest. */
                type $Shape = orch.join.v1.GetCaRequest.$Properties;
            }

            /**
             * Properties of a GetCaResponse.
             * @deprecated Use orch.join.v1.GetCaResponse.$Properties instead.
             */
            interface IGetCaResponse extends orch.join.v1.GetCaResponse.$Properties {
            }

            /** Represents a GetCaResponse. */
            class GetCaResponse {

                /**
                 * Constructs a new GetCaResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: orch.join.v1.GetCaResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** GetCaResponse caPem. */
                caPem: string;

                /** GetCaResponse nowMs. */
                nowMs: number;

                /**
                 * Encodes the specified GetCaResponse message. Does not implicitly {@link orch.join.v1.GetCaResponse.verify|verify} messages.
                 * @param message GetCaResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: orch.join.v1.GetCaResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a GetCaResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {orch.join.v1.GetCaResponse & orch.join.v1.GetCaResponse.$Shape} GetCaResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): orch.join.v1.GetCaResponse & orch.join.v1.GetCaResponse.$Shape;
            }

            namespace GetCaResponse {

                /** Properties of a GetCaResponse. */
                interface $Properties {

                    /** GetCaResponse caPem */
                    caPem?: string;

                    /** GetCaResponse nowMs */
                    nowMs?: number;

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a GetCaResponse. */
                type $Shape = orch.join.v1.GetCaResponse.$Properties;
            }

            /**
             * Properties of an IssueCertificateRequest.
             * @deprecated Use orch.join.v1.IssueCertificateRequest.$Properties instead.
             */
            interface IIssueCertificateRequest extends orch.join.v1.IssueCertificateRequest.$Properties {
            }

            /** Represents an IssueCertificateRequest. */
            class IssueCertificateRequest {

                /**
                 * Constructs a new IssueCertificateRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: orch.join.v1.IssueCertificateRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** IssueCertificateRequest token. */
                token: string;

                /** IssueCertificateRequest csrPem. */
                csrPem: string;

                /** IssueCertificateRequest availability. */
                availability: string;

                /** IssueCertificateRequest hostname. */
                hostname: string;

                /** IssueCertificateRequest advertiseAddress. */
                advertiseAddress: string;

                /** IssueCertificateRequest nowMs. */
                nowMs: number;

                /**
                 * Encodes the specified IssueCertificateRequest message. Does not implicitly {@link orch.join.v1.IssueCertificateRequest.verify|verify} messages.
                 * @param message IssueCertificateRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: orch.join.v1.IssueCertificateRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an IssueCertificateRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {orch.join.v1.IssueCertificateRequest & orch.join.v1.IssueCertificateRequest.$Shape} IssueCertificateRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): orch.join.v1.IssueCertificateRequest & orch.join.v1.IssueCertificateRequest.$Shape;
            }

            namespace IssueCertificateRequest {

                /** Properties of an IssueCertificateRequest. */
                interface $Properties {

                    /** IssueCertificateRequest token */
                    token?: string;

                    /** IssueCertificateRequest csrPem */
                    csrPem?: string;

                    /** IssueCertificateRequest availability */
                    availability?: string;

                    /** IssueCertificateRequest hostname */
                    hostname?: string;

                    /** IssueCertificateRequest advertiseAddress */
                    advertiseAddress?: string;

                    /** IssueCertificateRequest nowMs */
                    nowMs?: number;

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an IssueCertificateRequest. */
                type $Shape = orch.join.v1.IssueCertificateRequest.$Properties;
            }

            /**
             * Properties of an IssueCertificateResponse.
             * @deprecated Use orch.join.v1.IssueCertificateResponse.$Properties instead.
             */
            interface IIssueCertificateResponse extends orch.join.v1.IssueCertificateResponse.$Properties {
            }

            /** Represents an IssueCertificateResponse. */
            class IssueCertificateResponse {

                /**
                 * Constructs a new IssueCertificateResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: orch.join.v1.IssueCertificateResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** IssueCertificateResponse nodeId. */
                nodeId: string;

                /** IssueCertificateResponse certificatePem. */
                certificatePem: string;

                /** IssueCertificateResponse caPem. */
                caPem: string;

                /** IssueCertificateResponse clusterId. */
                clusterId: string;

                /** IssueCertificateResponse role. */
                role: string;

                /**
                 * Encodes the specified IssueCertificateResponse message. Does not implicitly {@link orch.join.v1.IssueCertificateResponse.verify|verify} messages.
                 * @param message IssueCertificateResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: orch.join.v1.IssueCertificateResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an IssueCertificateResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {orch.join.v1.IssueCertificateResponse & orch.join.v1.IssueCertificateResponse.$Shape} IssueCertificateResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): orch.join.v1.IssueCertificateResponse & orch.join.v1.IssueCertificateResponse.$Shape;
            }

            namespace IssueCertificateResponse {

                /** Properties of an IssueCertificateResponse. */
                interface $Properties {

                    /** IssueCertificateResponse nodeId */
                    nodeId?: string;

                    /** IssueCertificateResponse certificatePem */
                    certificatePem?: string;

                    /** IssueCertificateResponse caPem */
                    caPem?: string;

                    /** IssueCertificateResponse clusterId */
                    clusterId?: string;

                    /** IssueCertificateResponse role */
                    role?: string;

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an IssueCertificateResponse. */
                type $Shape = orch.join.v1.IssueCertificateResponse.$Properties;
            }
        }
    }
}
